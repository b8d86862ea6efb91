package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/promwait"
)

// exported returns the labels of every exported series by name, including labels added by
// Prometheus, and the values of "op" and "result".
func exported(t *testing.T) (series map[string][]string, values map[string]map[string]bool) {
	t.Helper()
	registry := prometheus.NewRegistry()
	metrics, err := promwait.New(registry, promwait.Options{})
	require.NoError(t, err)

	o := metrics.Observer()
	o.Observe(milvuswait.Update{Target: milvuswait.Loading("docs"), Polls: 1, Fraction: 0.4, ETA: 1e9})
	o.Observe(milvuswait.Update{Target: milvuswait.Loading("images"), Polls: 1, Final: true})
	families, err := registry.Gather()
	require.NoError(t, err)

	series, values = make(map[string][]string), make(map[string]map[string]bool)
	for _, family := range families {
		names := []string{"job", "instance"}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				names = append(names, label.GetName())
				key := family.GetName() + " " + label.GetName()
				if values[key] == nil {
					values[key] = make(map[string]bool)
				}
				values[key][label.GetValue()] = true
			}
		}
		series[family.GetName()] = names
		if family.GetMetric()[0].GetHistogram() != nil {
			series[family.GetName()+"_bucket"] = append(slices.Clone(names), "le")
			series[family.GetName()+"_sum"], series[family.GetName()+"_count"] = names, names
			delete(series, family.GetName())
		}
	}
	return series, values
}

// checkExpression fails if the expression selects or groups by an unknown series, label or
// result.
func checkExpression(t *testing.T, expression string) {
	t.Helper()
	series, values := exported(t)
	expr, err := parser.ParseExpr(expression)
	require.NoError(t, err, expression)

	selectors := 0
	var present []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		selectors++
		require.Contains(t, series, selector.Name, expression)
		present = append(present, series[selector.Name]...)
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name == model.MetricNameLabel {
				continue
			}
			require.Contains(t, series[selector.Name], matcher.Name, expression)
			if matcher.Name == "result" {
				known := values[selector.Name+" result"]
				if strings.HasSuffix(selector.Name, "_bucket") {
					known = values["milvuswait_waits_total result"]
				}
				for _, value := range strings.Split(matcher.Value, "|") {
					require.True(t, known[value], "%s: %s has no result %q", expression, selector.Name, value)
				}
			}
		}
		return nil
	})

	require.NotZero(t, selectors, expression)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if grouping, ok := node.(*parser.AggregateExpr); ok {
			require.Subset(t, present, grouping.Grouping, expression)
		}
		return nil
	})
}

func TestAlertRules(t *testing.T) {
	content, err := os.ReadFile("alerts.yml")
	require.NoError(t, err)

	groups, errs := rulefmt.Parse(content, false, model.UTF8Validation)

	require.Empty(t, errs)
	alerts := 0
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			alerts++
			t.Run(rule.Alert, func(t *testing.T) {
				checkExpression(t, rule.Expr)
				require.Contains(t, rule.Labels, "severity")
				require.Equal(t, []string{"description", "summary"}, slices.Sorted(maps.Keys(rule.Annotations)))
				checkTemplates(t, rule)
			})
		}
	}
	require.Equal(t, 4, alerts)
}

// checkTemplates fails if an annotation uses a label missing from the alert.
func checkTemplates(t *testing.T, rule rulefmt.Rule) {
	t.Helper()
	expr, err := parser.ParseExpr(rule.Expr)
	require.NoError(t, err)

	var has []string
	series, _ := exported(t)
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			has = append(has, n.Grouping...)
		case *parser.VectorSelector:
			if !slices.ContainsFunc(path, func(p parser.Node) bool { _, grouped := p.(*parser.AggregateExpr); return grouped }) {
				has = append(has, series[n.Name]...)
			}
		}
		return nil
	})

	for _, text := range rule.Annotations {
		for _, shown := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
			require.Contains(t, has, shown[1], text)
		}
	}
}

type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []struct {
		ID      int
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ RefID, Expr, LegendFormat string }
	}
}

func TestDashboard(t *testing.T) {
	content, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.NewDecoder(bytes.NewReader(content)).Decode(&d))
	require.NotEmpty(t, d.UID)
	require.NotEmpty(t, d.Panels)

	// Replace the variables in the style of Grafana.
	variables := map[string]string{"__rate_interval": "1m"}
	for _, v := range d.Templating.List {
		variables[v.Name] = ".*"
		if query, ok := strings.CutPrefix(v.Query, "label_values("); ok {
			metric, label, ok := strings.Cut(strings.TrimSuffix(query, ")"), ", ")
			require.True(t, ok, v.Query)
			series, _ := exported(t)
			require.Contains(t, series[metric], label, v.Query)
		}
	}

	expand := func(expr string) string {
		return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(expr, func(name string) string {
			require.Contains(t, variables, name[1:], expr)
			return variables[name[1:]]
		})
	}

	used, taken, ids := make(map[string]bool), make(map[[2]int]string), make(map[int]bool)
	for _, p := range d.Panels {
		t.Run(p.Title, func(t *testing.T) {
			require.False(t, ids[p.ID], "the id is another panel's")
			ids[p.ID] = true
			require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					require.Empty(t, taken[at], "two panels are in one place")
					taken[at] = p.Title
				}
			}
			require.NotEmpty(t, p.Targets)
			for _, target := range p.Targets {
				checkExpression(t, expand(target.Expr))
				for _, name := range regexp.MustCompile(`milvuswait_\w+`).FindAllString(target.Expr, -1) {
					used[name] = true
				}
			}
		})
	}

	series, _ := exported(t)
	for name := range series {
		if !strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") {
			require.True(t, used[name], "no panel shows %s", name)
		}
	}
}
