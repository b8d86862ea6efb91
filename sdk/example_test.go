package sdk_test

import (
	"context"
	"fmt"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/sdk"
)

func ExampleNew() {
	// A program has its client from client.NewClient(ctx, client.Config{…}).
	var c client.Client = &loadingClient{}

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), sdk.New(c), "docs")
	fmt.Println(progress, err)
	// Output: 100% <nil>
}

// loadingClient is a mock: a client that loads "docs" by half with every look.
type loadingClient struct {
	client.Client
	percent int64
}

func (c *loadingClient) GetLoadingProgress(context.Context, string, []string) (int64, error) {
	c.percent += 50
	return c.percent, nil
}

func ExampleNew_mock() {
	p := sdk.New(&emptyClient{})
	_, err := p.LoadingProgress(context.Background(), "docs")
	fmt.Println(err)
	// Output: not loaded: GetLoadState: LoadStateNotLoad
}

// emptyClient is a mock that has "docs", which is not loaded: the SDK's client
// reports that as 0 % without an error.
type emptyClient struct{ client.Client }

func (emptyClient) GetLoadingProgress(context.Context, string, []string) (int64, error) {
	return 0, nil
}

func (emptyClient) GetLoadState(context.Context, string, []string) (entity.LoadState, error) {
	return entity.LoadStateNotLoad, nil
}
