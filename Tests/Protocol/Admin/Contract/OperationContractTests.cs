using System.Net;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>`/plugins`, `/listeners`, `/modules` and `/topic-metrics`.</summary>
public sealed class OperationContractTests(ContractBroker broker) : ContractSuite(broker)
{
    [Fact]
    public async Task PluginsHaveAllFields_AndAreLoadedAndUnloaded()
    {
        var node = Assert.Single((await Api.SucceedAsync("GET", "/plugins")).EnumerateArray());
        Shape.Check("node:string plugins:array", node);
        var plugin = Assert.Single(node.GetProperty("plugins").EnumerateArray());
        Shape.Check("name:string description:string active:bool type:string", plugin);
        Assert.Equal(plugin.GetRawText(), Assert.Single((await Api.SucceedAsync("GET", $"/nodes/{Node}/plugins")).EnumerateArray()).GetRawText());
        var path = $"/nodes/{Node}/plugins/{PluginFolder.Plugin}";
        await ExpectAsync("""{"code":0}""", "PUT", $"{path}/unload"); // what is in the folder is started with the broker
        await ExpectAsync("""{"message":"not_started"}""", "PUT", $"{path}/unload");
        await ExpectAsync("""{"message":"not_started"}""", "PUT", $"/plugins/{PluginFolder.Plugin}/unload");
        await ExpectAsync("""{"code":0}""", "PUT", $"{path}/load");
        await ExpectAsync("""{"message":"already_started"}""", "PUT", $"{path}/load");
        await ExpectAsync("""{"code":0}""", "PUT", $"{path}/reload");
        await ExpectAsync("""{"code":0}""", "PUT", $"/plugins/{PluginFolder.Plugin}/reload");
        await ExpectAsync("""{"code":0}""", "PUT", $"/plugins/{PluginFolder.Plugin}/unload");
        foreach (var action in new[] { "load", "unload", "reload" }) await ExpectAsync("""{"message":"not_found"}""", "PUT", $"/nodes/{Node}/plugins/none/{action}");
        foreach (var action in new[] { "unload", "reload" }) await ExpectAsync("""{"message":"not_found"}""", "PUT", $"/plugins/none/{action}");
    }

    [Fact]
    public async Task ListenersHaveAllFields()
    {
        var node = Assert.Single((await Api.SucceedAsync("GET", "/listeners")).EnumerateArray());
        Shape.Check("node:string listeners:array", node);
        var listeners = node.GetProperty("listeners").EnumerateArray().ToDictionary(row => row.GetProperty("protocol").GetString()!);
        Assert.Equal(["http:dashboard", "http:management", "mqtt:tcp", $"mqtt:ws:{Broker.PortOf("web")}"], listeners.Keys.Order(StringComparer.Ordinal));
        foreach (var (protocol, row) in listeners)
        {
            Shape.Check("protocol:string listen_on:string identifier?:string acceptors:int max_conns:int current_conns:int shutdown_count:object", row);
            Assert.Matches(@"^127\.0\.0\.1:\d+$", row.GetProperty("listen_on").GetString());
            Assert.Equal(protocol.StartsWith("mqtt", StringComparison.Ordinal), row.TryGetProperty("identifier", out _));
        }

        Assert.Equal("mqtt:tcp:default", listeners["mqtt:tcp"].GetProperty("identifier").GetString());
        Assert.True(listeners["http:management"].GetProperty("current_conns").GetInt32() >= 1); // this call's
        Assert.Equal(4, (await Api.SucceedAsync("GET", $"/nodes/{Node}/listeners")).GetArrayLength());
        await ExpectAsync("""{"code":0}""", "PUT", "/listeners/mqtt:tcp:default/restart");
        await ExpectAsync("""{"code":0}""", "PUT", $"/nodes/{Node}/listeners/mqtt%3Aws%3Aweb/restart");
        Assert.Contains("no_such_listener", (await Api.CallAsync("PUT", "/listeners/mqtt:tcp:none/restart")).GetProperty("message").GetString(), StringComparison.Ordinal);
        var refused = await Api.SendAsync("PUT", "/listeners/http:dashboard/restart");
        Assert.Equal((HttpStatusCode.Forbidden, "\"http_listener_restart_unsupported\""), (refused.Status, refused.Text));
    }

    [Fact]
    public async Task ModulesHaveAllFields_AndAreTurnedOnAndOff()
    {
        var node = Assert.Single((await Api.SucceedAsync("GET", "/modules")).EnumerateArray());
        Shape.Check("node:string modules:array", node);
        foreach (var row in node.GetProperty("modules").EnumerateArray()) Shape.Check("name:string description:string active:bool", row);
        var names = node.GetProperty("modules").EnumerateArray().Select(row => row.GetProperty("name").GetString()).ToHashSet();
        Assert.Superset(new HashSet<string?> { "emqx_mod_presence", "emqx_mod_rewrite", "emqx_mod_subscription", "emqx_mod_topic_metrics" }, names);
        Assert.Equal(node.GetProperty("modules").GetRawText(), (await Api.SucceedAsync("GET", $"/nodes/{Node}/modules")).GetRawText());
        foreach (var root in new[] { "", $"/nodes/{Node}" })
        {
            await ExpectAsync("""{"message":"already_started"}""", "PUT", $"{root}/modules/emqx_mod_rewrite/load");
            await ExpectAsync("""{"code":0}""", "PUT", $"{root}/modules/emqx_mod_rewrite/unload");
            await ExpectAsync("""{"message":"not_started"}""", "PUT", $"{root}/modules/emqx_mod_rewrite/unload");
            await ExpectAsync("""{"code":0}""", "PUT", $"{root}/modules/emqx_mod_rewrite/reload");
            await ExpectAsync("""{"code":0}""", "PUT", $"{root}/modules/emqx_mod_rewrite/load");
            foreach (var action in new[] { "load", "unload", "reload" }) await ExpectAsync("""{"message":"not_found"}""", "PUT", $"{root}/modules/none/{action}");
        }
    }

    [Fact]
    public async Task CountedTopicsHaveAllFields()
    {
        string[] kinds = ["in", "out", "qos0.in", "qos0.out", "qos1.in", "qos1.out", "qos2.in", "qos2.out", "dropped"];
        var members = string.Join(' ', kinds.Select(kind => $"messages.{kind}.count:int messages.{kind}.rate:number"));
        await ExpectAsync("""{"code":0}""", "POST", "/topic-metrics", """{"topic":"counted/a b"}""");
        await ExpectAsync("""{"code":0}""", "POST", "/topic-metrics", """{"topic":"counted/a b"}""");
        var row = Assert.Single((await Api.SucceedAsync("GET", "/topic-metrics")).EnumerateArray());
        Shape.Check("topic:string metrics:object", row);
        Shape.Check(members, row.GetProperty("metrics"));
        Shape.Check(members, await Api.SucceedAsync("GET", "/topic-metrics/counted%2Fa%20b"));
        Assert.Equal("{}", (await Api.SucceedAsync("GET", "/topic-metrics/none")).GetRawText());
        await ExpectAsync("""{"message":"missing_required_params"}""", "POST", "/topic-metrics", "{}");
        await ExpectAsync("""{"message":"invalid_topic_name"}""", "POST", "/topic-metrics", """{"topic":"counted/#"}""");
        await ExpectAsync("""{"code":0}""", "DELETE", "/topic-metrics/counted%2Fa%20b");
        await ExpectAsync("""{"code":0}""", "DELETE", "/topic-metrics");
        await Api.SucceedAsync("PUT", "/modules/emqx_mod_topic_metrics/unload");
        foreach (var (method, path) in new[] { ("GET", ""), ("GET", "/x"), ("POST", ""), ("DELETE", ""), ("DELETE", "/x") }) await ExpectAsync("""{"message":"module_not_loaded"}""", method, $"/topic-metrics{path}");
        await Api.SucceedAsync("PUT", "/modules/emqx_mod_topic_metrics/load");
    }
}
