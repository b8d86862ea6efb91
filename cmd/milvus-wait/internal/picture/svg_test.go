package main

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"
)

// text is a text element of the picture.
type text struct {
	X      string `xml:"x,attr"`
	Y      string `xml:"y,attr"`
	Length string `xml:"textLength,attr"`
	Fill   string `xml:"fill,attr"`
	Text   string `xml:",chardata"`
}

func texts(t *testing.T, svg string) []text {
	t.Helper()
	var picture struct {
		Texts []text `xml:"text"`
	}
	require.NoError(t, xml.Unmarshal([]byte(svg), &picture))
	return picture.Texts
}

func TestDraw(t *testing.T) {
	terminal := vt10x.New(vt10x.WithSize(20, 5))
	_, err := terminal.Write([]byte("$ a <&>\r\n\r\ndone \x1b[32mloaded\x1b[0m!"))
	require.NoError(t, err)

	svg := draw([]screen{capture("at <1> s", terminal)})

	require.Equal(t, []text{
		{X: "432", Y: "19", Fill: "#8b949e", Text: "at <1> s"},
		{X: "16", Y: "44", Length: "8", Text: "$"},
		{X: "32", Y: "44", Length: "8", Text: "a"},
		{X: "48", Y: "44", Length: "24", Text: "<&>"},
		{X: "16", Y: "80", Length: "32", Text: "done"},
		{X: "56", Y: "80", Length: "48", Fill: "#56d364", Text: "loaded"},
		{X: "104", Y: "80", Length: "8", Text: "!"},
	}, texts(t, svg))
	require.Contains(t, svg, `width="864" height="100"`, "the empty lines below are not drawn")
}

func TestCommittedPictureIsOfThisCommand(t *testing.T) {
	svg, err := os.ReadFile("../../../../docs/milvus-wait.svg")
	require.NoError(t, err)

	var words []string
	for _, text := range texts(t, string(svg)) {
		words = append(words, text.Text)
	}

	all := strings.Join(words, " ")
	for _, shown := range []string{"$ milvus-wait demo --fail; echo $?", "docs/vidx", "indexing", "left", "rows/s", "1 failed", "5 of 6 done in", "OOM if load", "1 $"} {
		require.Contains(t, all, shown, "run make picture")
	}
}
