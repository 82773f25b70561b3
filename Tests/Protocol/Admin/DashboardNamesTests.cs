using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Broker.Grains.Interfaces.Messages;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Unit;
using Broker.Tests.Unit.Deploy;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>The dashboards of `deploy/grafana` and the rules of `deploy/prometheus` ask for nothing that a broker does not show after a little traffic.</summary>
public sealed partial class DashboardNamesTests
{
    /// <summary>What Prometheus itself makes, and words of its language that could be taken for names.</summary>
    private static readonly HashSet<string> Known = ["up", "and", "or", "unless", "by", "on", "without", "ignoring", "bool", "offset"];

    [Fact]
    public async Task EveryNameIsShown_WhenThereWasTraffic()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Metrics:LatencySample"] = "1" });
        await using (var durable = await RawClient.ConnectAsync(broker, "durable", cleanStart: false, expiry: 100)) await durable.SubscribeAsync("d", Qos.AtLeastOnce);
        await broker.RestartAsync(); // a session that is not in memory is reached by a link
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.SubscribeAsync("d", Qos.AtLeastOnce);
        await client.SendAsync(WirePacket.Publish("d", "x", Qos.AtLeastOnce, 1));
        await client.ExpectPublishAsync("d", "x", Qos.AtLeastOnce);
        await client.SendAsync(WirePacket.Puback(1));
        using (var http = new HttpClient()) await http.GetStringAsync(new Uri($"http://127.0.0.1:{broker.Services.GetRequiredService<AdminServer>().Port}/health/live"));
        GC.Collect();
        var asked = Dashboards().SelectMany(one => Expressions(one.Board)).Concat(Rules().Select(rule => Text(rule, "expr"))).SelectMany(NamesIn).ToHashSet();
        Assert.True(asked.Count > 60, string.Join(' ', asked));
        string[] missing = [];
        await Wait.UntilAsync(
            async () =>
            {
                var shown = (await Scrape.OfAsync(broker)).Names.ToHashSet();
                return (missing = [.. asked.Except(shown)]).Length == 0;
            },
            () => $"shown: {string.Join(' ', missing)}");
    }

    [Fact]
    public void DashboardsAreWhatGrafanaTakes_WhenRead()
    {
        var boards = Dashboards().ToArray();
        Assert.Equal(["cluster", "dotnet", "latency", "overview", "sessions", "traffic"], boards.Select(one => one.Name["broker-".Length..]).Order(StringComparer.Ordinal));
        foreach (var (name, board) in boards)
        {
            Assert.Equal(name, Text(board, "uid"));
            Assert.Equal(["datasource", "job", "instance"], board["templating"]!["list"]!.AsArray().Select(variable => Text(variable!, "name")));
            var panels = board["panels"]!.AsArray();
            Assert.Equal(panels.Count, panels.Select(panel => (int)panel!["id"]!).Distinct().Count());
            Assert.Equal(panels.Count, panels.Select(panel => Text(panel!, "title")).Distinct().Count());
            var places = panels.Select(panel => panel!["gridPos"]!).Select(at => (X: (int)at["x"]!, Y: (int)at["y"]!, W: (int)at["w"]!, H: (int)at["h"]!)).ToArray();
            Assert.All(places, place => Assert.True(place.X + place.W <= 24));
            Assert.DoesNotContain(
                places.SelectMany((one, at) => places.Skip(at + 1).Select(other => (one, other))),
                pair => pair.one.X < pair.other.X + pair.other.W && pair.other.X < pair.one.X + pair.one.W && pair.one.Y < pair.other.Y + pair.other.H && pair.other.Y < pair.one.Y + pair.one.H);
            Assert.All(panels.SelectMany(panel => panel!["targets"]!.AsArray()), target => Assert.Contains("job=~\"$job\",instance=~\"$instance\"", Text(target!, "expr"), StringComparison.Ordinal));
        }
    }

    [Fact]
    public void RulesAreComplete_WhenRead()
    {
        var rules = Rules().ToArray();
        Assert.Equal(rules.Length, rules.Select(rule => Text(rule, "alert")).Distinct().Count());
        Assert.All(rules, rule =>
        {
            Assert.Matches("^Broker[A-Z][A-Za-z]+$", Text(rule, "alert"));
            Assert.Contains("job=\"broker\"", Text(rule, "expr"), StringComparison.Ordinal);
            Assert.Equal(Text(rule, "expr").Count(letter => letter == '('), Text(rule, "expr").Count(letter => letter == ')'));
            Assert.Contains(Text(rule["labels"]!, "severity"), new[] { "warning", "critical" });
            Assert.NotEqual("", Text(rule["annotations"]!, "summary"));
            Assert.NotEqual("", Text(rule["annotations"]!, "description"));
        });
        var scrape = DeployTree.Yaml(SourceTree.Text("deploy/prometheus/prometheus.yml")).Single()!;
        Assert.Equal("rules.yml", (string)scrape["rule_files"]!.AsArray().Single()!);
        Assert.Equal(("broker", "/metrics"), (Text(scrape["scrape_configs"]!.AsArray().Single()!, "job_name"), Text(scrape["scrape_configs"]!.AsArray().Single()!, "metrics_path")));
    }

    [Theory]
    [InlineData("sum by (le, qos) (rate(a_bucket{x=\"y\"}[5m])) > 0.5 * on (instance) max(b)", "a_bucket b")]
    [InlineData("label_values(c{job=~\"$job\"}, instance)", "c")]
    [InlineData("up{job=\"broker\"} == 0 or d", "d")]
    public void NamesAreFound_WhenInAnExpression(string expression, string names) => Assert.Equal(names, string.Join(' ', NamesIn(expression)));

    private static IEnumerable<(string Name, JsonNode Board)> Dashboards() =>
        Directory.GetFiles(Path.Combine(SourceTree.Root, "deploy/grafana/dashboards"), "*.json").Select(path => (Path.GetFileNameWithoutExtension(path), JsonNode.Parse(File.ReadAllText(path))!));

    private static IEnumerable<JsonNode> Rules() =>
        DeployTree.Yaml(SourceTree.Text("deploy/prometheus/rules.yml")).Single()!["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray()).Select(rule => rule!);

    private static IEnumerable<string> Expressions(JsonNode board) =>
        board["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray()).Select(target => Text(target!, "expr"))
            .Concat(board["templating"]!["list"]!.AsArray().Select(variable => variable!["definition"]).Where(query => query is not null).Select(query => (string)query!));

    private static IEnumerable<string> NamesIn(string expression)
    {
        var bare = Labels().Replace(Braces().Replace(Quoted().Replace(expression, ""), ""), "");
        return Name().Matches(bare).Select(match => match.Value).Where(name => !Known.Contains(name)).Distinct();
    }

    private static string Text(JsonNode node, string member) => (string)node[member]!;

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    /// <summary>What stands in braces and brackets.</summary>
    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]")]
    private static partial Regex Braces();

    /// <summary>Lists of labels, and the label at the end of `label_values`.</summary>
    [GeneratedRegex(@"\b(by|on|without|ignoring)\s*\([^)]*\)|,\s*\w+\)$")]
    private static partial Regex Labels();

    [GeneratedRegex(@"(?<![\w.])[a-zA-Z_][a-zA-Z0-9_]*\b(?!\s*\()")]
    private static partial Regex Name();
}
