using System.Text.Json;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>Modules: presence, automatic subscriptions, topic rewrite, topic metrics, and how they are turned on and off.</summary>
public sealed class ModuleTests
{
    [Fact]
    public async Task ComingAndGoingIsPublished_WhilePresenceIsOn()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        using var api = new ApiClient(broker);
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("$SYS/brokers/+/clients/#", Qos.AtLeastOnce);
        await using (var client = await RawClient.OpenAsync(broker, 4))
        {
            await client.SendAsync(WirePacket.Connect("device", 4, userName: "me", keepAlive: 60));
            await client.ExpectAsync(PacketType.Connack);
            var connected = await ReadAsync(watcher, "$SYS/brokers/broker@127.0.0.1/clients/device/connected");
            Assert.Equal(
                ["clean_start", "clientid", "connack", "connected_at", "expiry_interval", "ipaddress", "keepalive", "proto_name", "proto_ver", "sockport", "ts", "username"],
                connected.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
            Assert.Equal(("device", "me", "127.0.0.1", 4, 60), (Text(connected, "clientid"), Text(connected, "username"), Text(connected, "ipaddress"), connected.GetProperty("proto_ver").GetInt32(), connected.GetProperty("keepalive").GetInt32()));
            Assert.Equal(broker.PortOf("default"), connected.GetProperty("sockport").GetInt32());
        }

        var gone = await ReadAsync(watcher, "$SYS/brokers/broker@127.0.0.1/clients/device/disconnected");
        Assert.Equal("tcp_closed", Text(gone, "reason"));
        Assert.True(gone.GetProperty("disconnected_at").GetInt64() >= gone.GetProperty("connected_at").GetInt64());

        await api.SucceedAsync("PUT", "/modules/emqx_mod_presence/unload");
        await using (await RawClient.ConnectAsync(broker, "unseen"))
        {
        }

        await watcher.ExpectNothingAsync();
        await broker.RestartAsync();
        using var later = new ApiClient(broker);
        Assert.False(await IsActiveAsync(later, "emqx_mod_presence")); // what was said is remembered
    }

    [Fact]
    public async Task ClientIsSubscribed_WhenItConnects()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["AutoSubscribe:Topics:0:Topic"] = "to/%c", ["AutoSubscribe:Topics:0:Qos"] = "1", ["AutoSubscribe:Topics:1:Topic"] = "users/%u/#", ["AutoSubscribe:Topics:2:Topic"] = "own/%c", ["AutoSubscribe:Topics:2:NoLocal"] = "true",
        });
        using var api = new ApiClient(broker);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await publisher.PublishAsync("to/device", "kept", retain: true);
        await using var device = await RawClient.OpenAsync(broker);
        await device.SendAsync(WirePacket.Connect("device", userName: "me"));
        await device.ExpectAsync(PacketType.Connack);
        await device.ExpectPublishAsync("to/device", "kept", Qos.AtLeastOnce);
        await publisher.PublishAsync("users/me/x", "hi");
        await device.ExpectPublishAsync("users/me/x", "hi");
        await device.PublishAsync("own/device", "echo");
        await device.ExpectNothingAsync();
        Assert.Equal(["own/publisher", "to/publisher"], (await api.SucceedAsync("GET", "/subscriptions/publisher")).EnumerateArray().Select(row => Text(row, "topic")).Order());
        await api.SucceedAsync("PUT", "/modules/emqx_mod_subscription/unload");
        await using var late = await RawClient.ConnectAsync(broker, "late");
        Assert.Empty((await api.SucceedAsync("GET", "/subscriptions/late")).EnumerateArray());
    }

    [Fact]
    public async Task NameWithWildcardsWidensNothing()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["AutoSubscribe:Topics:0:Topic"] = "to/%c", ["AutoSubscribe:Topics:1:Topic"] = "users/%u/x", ["AutoSubscribe:Topics:2:Topic"] = "all", ["Rewrite:Subscribe:0"] = "mine/# ^mine/(.+)$ of/%c/%u/$1",
        });
        using var api = new ApiClient(broker);
        foreach (var (clientId, userName) in new[] { ("#", "me"), ("+", "me"), ("device", "+") })
        {
            await using var client = await RawClient.OpenAsync(broker);
            await client.SendAsync(WirePacket.Connect(clientId, userName: userName));
            await client.ExpectAsync(PacketType.Connack);
            await client.SubscribeAsync("mine/1");
            string[] expected = clientId == "device" ? ["all", "of/device/%u/1", "to/device"] : ["all", "of/%c/me/1", "users/me/x"];
            Assert.Equal(expected, (await api.SucceedAsync("GET", $"/subscriptions/{Uri.EscapeDataString(clientId)}")).EnumerateArray().Select(row => Text(row, "topic")).Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData("y/a/z/b", "y/z/b")]
    [InlineData("x/1/2", "x/1/2")]
    [InlineData("x/y/2", "z/y/2")]
    [InlineData("x/y/z", "x/y/z")]
    [InlineData("mine", "of/device/me")]
    [InlineData("bad", "bad")]
    public async Task TopicIsRewritten(string written, string routed)
    {
        string[] rules = ["y/+/z/# ^y/(.+)/z/(.+)$ y/z/$2", "x/# ^x/y/(.+)$ z/y/x/$1", @"x/y/+ ^x/y/(\d+)$ z/y/$1", "mine ^mine$ of/%c/%u", "bad ^bad$ a/+/b"];
        await using var broker = await BrokerHost.StartAsync(rules.SelectMany((rule, at) => new[] { KeyValuePair.Create<string, string?>($"Rewrite:Publish:{at}", rule), new($"Rewrite:Subscribe:{at}", rule) }).ToDictionary());
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("#");
        await using var device = await RawClient.OpenAsync(broker);
        await device.SendAsync(WirePacket.Connect("device", userName: "me"));
        await device.ExpectAsync(PacketType.Connack);
        await device.PublishAsync(written, "x", Qos.AtMostOnce);
        await watcher.ExpectPublishAsync(routed, "x");

        await device.SubscribeAsync(written);
        await watcher.PublishAsync(routed == "bad" ? "a/x/b" : routed, "y", Qos.AtMostOnce);
        Assert.Equal("y", (await device.ExpectAsync(PacketType.Publish)).Text);
        await device.SendAsync(WirePacket.Unsubscribe(7, [written]));
        await device.ExpectAsync(PacketType.Unsuback);
        using var api = new ApiClient(broker);
        Assert.Empty((await api.SucceedAsync("GET", "/subscriptions/device")).EnumerateArray());
    }

    [Theory]
    [InlineData("Rewrite:Publish:0", "only/two ^x$")]
    [InlineData("Rewrite:Publish:0", "a/# ^( b")]
    [InlineData("Rewrite:Subscribe:0", "a/#/b ^x$ c")]
    [InlineData("AutoSubscribe:Topics:0:Topic", "a/#/b")]
    [InlineData("AutoSubscribe:Topics:0:Qos", "3")]
    public async Task StartIsRefused_WhenASettingCannotBeRead(string key, string value)
    {
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => BrokerHost.StartAsync(new() { [key] = value }));
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TopicIsCounted_WhileItIsRegistered()
    {
        await using var broker = await BrokerHost.StartAsync([]);
        using var api = new ApiClient(broker);
        Assert.Equal("module_not_loaded", Text(await api.CallAsync("GET", "/topic-metrics"), "message"));
        await api.SucceedAsync("PUT", "/modules/emqx_mod_topic_metrics/load");
        Assert.Equal("already_started", Text(await api.CallAsync("PUT", "/modules/emqx_mod_topic_metrics/load"), "message"));
        await api.SucceedAsync("POST", "/topic-metrics", """{"topic":"count/me"}""");
        await api.SucceedAsync("POST", "/topic-metrics", """{"topic":"count/me"}""");
        Assert.Equal("invalid_topic_name", Text(await api.CallAsync("POST", "/topic-metrics", """{"topic":"count/#"}"""), "message"));
        Assert.Equal("missing_required_params", Text(await api.CallAsync("POST", "/topic-metrics", "{}"), "message"));
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.PublishAsync("count/me", "lost", Qos.AtMostOnce);
        await client.SubscribeAsync("count/+", Qos.AtLeastOnce);
        await client.PublishAsync("count/other", "x", Qos.AtMostOnce);
        await client.ExpectPublishAsync("count/other", "x");
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(WirePacket.Publish("count/me", "x", Qos.AtLeastOnce, (ushort)(i + 10)));
            Assert.Equal([PacketType.Publish, PacketType.Puback], new[] { (await client.ReceiveAsync()).Type, (await client.ReceiveAsync()).Type }.Order());
        }

        await api.SucceedAsync("POST", "/mqtt/publish", """{"topic":"count/me","payload":"from the API"}""");
        await client.ExpectPublishAsync("count/me", "from the API");
        var counted = await api.SucceedAsync("GET", "/topic-metrics/count%2Fme");
        Assert.Equal((5, 4, 1, 2, 3, 1, 3), (Count("messages.in"), Count("messages.out"), Count("messages.dropped"), Count("messages.qos0.in"), Count("messages.qos1.in"), Count("messages.qos0.out"), Count("messages.qos1.out")));
        Assert.Equal(18, counted.EnumerateObject().Count());
        await Wait.UntilAsync(async () => (await api.SucceedAsync("GET", "/topic-metrics/count%2Fme")).GetProperty("messages.in.rate").GetDouble() >= 0, "rates");
        var listed = Assert.Single((await api.SucceedAsync("GET", "/topic-metrics")).EnumerateArray());
        Assert.Equal(("count/me", 5), (Text(listed, "topic"), listed.GetProperty("metrics").GetProperty("messages.in.count").GetInt32()));
        await api.SucceedAsync("DELETE", "/topic-metrics/count%2Fme");
        Assert.Empty((await api.SucceedAsync("GET", "/topic-metrics")).EnumerateArray());
        Assert.Equal("{}", (await api.SucceedAsync("GET", "/topic-metrics/count%2Fme")).GetRawText());

        int Count(string name) => counted.GetProperty($"{name}.count").GetInt32();
    }

    [Fact]
    public async Task ModulesAreListed_AndUnknownOnesRefused()
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Modules:Presence"] = "false" });
        using var api = new ApiClient(broker);
        var node = Assert.Single((await api.SucceedAsync("GET", "/modules")).EnumerateArray());
        Assert.Equal("broker@127.0.0.1", Text(node, "node"));
        Assert.All(node.GetProperty("modules").EnumerateArray(), one => Assert.Equal(["active", "description", "name"], one.EnumerateObject().Select(member => member.Name).Order()));
        Assert.False(await IsActiveAsync(api, "emqx_mod_presence"));
        await api.SucceedAsync("PUT", "/nodes/broker@127.0.0.1/modules/emqx_mod_presence/load");
        Assert.True(await IsActiveAsync(api, "emqx_mod_presence"));
        await api.SucceedAsync("PUT", "/modules/emqx_mod_presence/reload");
        Assert.Equal("not_found", Text(await api.CallAsync("PUT", "/modules/emqx_mod_none/load"), "message"));
        Assert.Equal("not_started", Text(await api.CallAsync("PUT", "/modules/emqx_mod_topic_metrics/unload"), "message"));
    }

    private static async Task<bool> IsActiveAsync(ApiClient api, string module) =>
        (await api.SucceedAsync("GET", "/nodes/broker@127.0.0.1/modules")).EnumerateArray().Single(one => Text(one, "name") == module).GetProperty("active").GetBoolean();

    private static async Task<JsonElement> ReadAsync(RawClient watcher, string topic)
    {
        var packet = await watcher.ExpectAsync(PacketType.Publish);
        Assert.Equal((topic, Qos.AtLeastOnce), (packet.Topic, packet.Qos));
        return JsonDocument.Parse(packet.Text).RootElement;
    }

    private static string? Text(JsonElement row, string member) => row.GetProperty(member).GetString();
}
