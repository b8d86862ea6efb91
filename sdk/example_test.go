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
	// A program creates its client by client.NewClient(ctx, client.Config{…}).
	var c client.Client = &loadingClient{}

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), sdk.New(c), "docs")
	fmt.Println(progress, err)
	// Output: 100% <nil>
}

// loadingClient is a mock client. Each call loads another 50 % of "docs".
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

// emptyClient is a mock client with "docs", not loaded. The SDK's client reports an unloaded
// collection as 0 %, without an error.
type emptyClient struct{ client.Client }

func (emptyClient) GetLoadingProgress(context.Context, string, []string) (int64, error) {
	return 0, nil
}

func (emptyClient) GetLoadState(context.Context, string, []string) (entity.LoadState, error) {
	return entity.LoadStateNotLoad, nil
}
