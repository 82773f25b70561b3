using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

public class ComposeTests
{
    private const string Folder = "deploy/compose";

    private static string Text => SourceTree.Text($"{Folder}/compose.yaml");

    [Fact]
    public void ReferencesResolve_WhenRead() => Assert.Equal([], ComposeFaults.Of(Document(Text), Folder));

    [Theory]
    [InlineData("  database_root_password:\n    file", "  other_password:\n    file", "secrets/database_root_password is not declared")]
    [InlineData("  database_root_password:\n    file", "  other_password:\n    file", "secrets/other_password is not used")]
    [InlineData("./secrets/database_password", "./password", "secrets/database_password: deploy/compose/password would be committed")]
    [InlineData("volumes:\n  database: {}", "volumes: {}", "volumes/database is not declared")]
    [InlineData("source: haproxy", "source: balancer", "configs/balancer is not declared")]
    [InlineData("../haproxy/haproxy.cfg", "../haproxy.cfg", "configs/haproxy: ../haproxy.cfg is not there")]
    [InlineData("      - node2\n", "      - node4\n", "load-balancer: depends_on/node4 is no service")]
    [InlineData("    healthcheck:", "    x-healthcheck:", "node3: depends_on/database has no healthcheck")]
    [InlineData("    networks:\n      - clients\n    ulimits", "    ulimits", "load-balancer: depends_on/node1 is in no network of this")]
    [InlineData("  clients: {}", "  clients: {}\n  others: {}", "networks/others is not used")]
    [InlineData("Server=database", "Server=mariadb", "node1: Broker__Cluster__ConnectionString: no service of that name in a network of this")]
    [InlineData("PasswordFile: /run/secrets/database_password", "PasswordFile: /run/secrets/other", "node1: Broker__Cluster__PasswordFile = /run/secrets/other, which is no secret of this")]
    [InlineData("dockerfile: deploy/docker/Gateway.Dockerfile", "dockerfile: Dockerfile", "node1: build: Dockerfile is not in '.'")]
    public void FaultIsFound_WhenReferenceIsBroken(string old, string broken, string fault) =>
        Assert.Contains(fault, ComposeFaults.Of(Document(Text.Replace(old, broken, StringComparison.Ordinal)), Folder));

    [Fact]
    public void BalancerKnowsTheNodes_WhenBothAreRead()
    {
        var nodes = Document(Text).Entries("services").Where(pair => pair.Value.Text("image")!.StartsWith("broker-gateway:", StringComparison.Ordinal));
        var balancer = HaproxyConfiguration.Parse(SourceTree.Text("deploy/haproxy/haproxy.cfg"));
        Assert.Equal(nodes.Select(pair => pair.Key), balancer.Servers.Select(server => server.Host));
    }

    [Fact]
    public void NodesDrain_WhenTheyAreStopped()
    {
        foreach (var (_, node) in Document(Text).Entries("services").Where(pair => pair.Key.StartsWith("node", StringComparison.Ordinal)))
        {
            Assert.Equal("75s", node.Text("stop_grace_period"));
        }
    }

    private static JsonNode Document(string text) => Assert.Single(DeployTree.Yaml(text))!;
}
