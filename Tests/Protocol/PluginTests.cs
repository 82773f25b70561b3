using System.Text;
using Broker.Gateway.History;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Plugins;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Admin;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A plugin that is loaded from a folder, and its callbacks at every hook. What it decides stands in its source.</summary>
public sealed class PluginTests : IDisposable
{
    private readonly PluginFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task ClientsAreDecidedAboutByCallbacks_AndOthersByTheNextSource()
    {
        await using var broker = await StartAsync(("Security:AllowAnonymous", "false"), ("Security:BruteForce:Failures", "0"),
            ("Security:BuiltIn:Users:0:UserName", "user"), ("Security:BuiltIn:Users:0:Password", "x"));
        Assert.Equal(ReasonCode.Success, (await TryConnectAsync(broker, "root", "secret")).Code);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await TryConnectAsync(broker, "root", "other")).Code);
        Assert.Equal(ReasonCode.NotAuthorized, (await TryConnectAsync(broker, "nobody", "x")).Code);
        Assert.Equal(ReasonCode.Success, (await TryConnectAsync(broker, "user", "x")).Code);
        var refusals = broker.Services.GetRequiredService<FlightRecorder>().Of("c");
        Assert.Contains(refusals, one => one is { Source: "hooks", Reason: "wrong secret" });
    }

    [Fact]
    public async Task WhatAnOperatorSaidIsRemembered_OverTheConfiguration()
    {
        await using var broker = await StartAsync();
        Assert.Equal(["SamplePlugin"], Running());
        await TellAsync("unload");
        await broker.RestartAsync();
        Assert.Empty(Running());
        await TellAsync("load");
        await broker.RestartAsync();
        Assert.Equal(["SamplePlugin"], Running());

        string[] Running() => broker.Services.GetRequiredService<PluginHost>().Running;

        async Task TellAsync(string action)
        {
            using var api = new ApiClient(broker);
            await api.SucceedAsync("PUT", $"/nodes/broker@127.0.0.1/plugins/SamplePlugin/{action}");
        }
    }

    [Theory]
    [InlineData("deny", ReasonCode.ServerUnavailable)]
    [InlineData("ignore", ReasonCode.Success)]
    public async Task CallbackThatThrowsDeniesOrIsIgnored(string action, ReasonCode answer)
    {
        await using var broker = await StartAsync(("Plugins:FailedAction", action));
        broker.ExpectError("client.authenticate");
        Assert.Equal(answer, (await TryConnectAsync(broker, "broken", "x")).Code);
        Assert.Equal(ReasonCode.Success, (await TryConnectAsync(broker, "else", "x")).Code);
    }

    [Fact]
    public async Task ConnackHasWhatCallbacksAdd_AlsoWhenItRefuses()
    {
        await using var broker = await StartAsync(("Plugins:Settings:SamplePlugin:Greeting", "{ a: b, c: d }"));
        (string, string)[] added = [("a", "b"), ("c", "d")];
        Assert.Equal(added, (await TryConnectAsync(broker, "else", "x")).Properties.Every<(string, string)>(PropertyId.UserProperty));
        Assert.Equal(added, (await TryConnectAsync(broker, "root", "x")).Properties.Every<(string, string)>(PropertyId.UserProperty));
    }

    [Fact]
    public async Task ConnectIsReadAsCallbacksLeaveIt()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("c", userName: "brief", password: "x"u8.ToArray(), properties: new WireProperties().Add(PropertyId.SessionExpiryInterval, 600u)));
        await client.ExpectAsync(PacketType.Connack);
        client.Drop();
        await broker.SettleAsync();
        broker.Advance(TimeSpan.FromSeconds(2));
        await folder.ExpectAsync("session.terminated c");
    }

    [Fact]
    public async Task AccessIsDecidedByCallbacks_ButNotForTheirSuperusers()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.SendAsync(WirePacket.Subscribe(1, "forbidden/x"), WirePacket.Publish("forbidden/x", "x", Qos.AtLeastOnce, 2));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code);
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAcknowledgementAsync(PacketType.Puback)).Code);
        await using var root = await RawClient.OpenAsync(broker);
        await root.SendAsync(WirePacket.Connect("r", userName: "root", password: "secret"u8.ToArray()), WirePacket.Subscribe(1, "forbidden/x"));
        await root.ExpectAsync(PacketType.Connack);
        Assert.Equal(ReasonCode.Success, (await root.ExpectAcknowledgementAsync(PacketType.Suback)).Code);
    }

    [Fact]
    public async Task FiltersAreRewrittenOrRefused()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.SendAsync(WirePacket.Subscribe(1, [("old/#", 1), ("full", 0), ("forbidden/x", 0), ("plain", 2)]));
        Assert.Equal([ReasonCode.GrantedQos1, ReasonCode.QuotaExceeded, ReasonCode.NotAuthorized, ReasonCode.GrantedQos2], (await client.ExpectAsync(PacketType.Suback)).Codes);
        await folder.ExpectAsync("session.subscribed c new/# 1 True");
        await folder.ExpectAsync("session.subscribed c plain 2 True");
        await client.PublishAsync("new/x", "1", Qos.AtMostOnce);
        await client.ExpectPublishAsync("new/x", "1");
        await client.SendAsync(WirePacket.Unsubscribe(2, ["old/#", "none"]));
        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], (await client.ExpectAsync(PacketType.Unsuback)).Codes);
        await folder.ExpectAsync("session.unsubscribed c new/#");
        Assert.Equal(2, folder.Lines().Count(line => line.StartsWith("session.subscribed", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(Qos.AtMostOnce)]
    [InlineData(Qos.AtLeastOnce)]
    [InlineData(Qos.ExactlyOnce)]
    public async Task MessagesAreChangedOrSwallowed_AndTheirPublisherIsAnsweredAsItExpects(Qos qos)
    {
        await using var broker = await StartAsync();
        await using var subscriber = await RawClient.ConnectAsync(broker, "s");
        await subscriber.SubscribeAsync("#", Qos.ExactlyOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await publisher.PublishAsync("swallow", "x", qos);
        (string Sent, string Topic, string Payload, Qos Qos)[] all =
            [("old/topic", "new/topic", "x", qos), ("raise", "raise", "x", Qos.ExactlyOnce), ("lower", "lower", "x", Qos.AtMostOnce), ("slow", "slow", "x, seen", qos), ("plain", "plain", "x", qos)];
        foreach (var (sent, topic, payload, level) in all)
        {
            await publisher.PublishAsync(sent, "x", qos);
            var got = await subscriber.ExpectPublishAsync(topic, payload, level);
            if (level == Qos.AtLeastOnce) await subscriber.SendAsync(WirePacket.Puback(got.Id));
            if (level != Qos.ExactlyOnce) continue;
            await subscriber.SendAsync(WirePacket.Pubrec(got.Id));
            await subscriber.ExpectAsync(PacketType.Pubrel);
            await subscriber.SendAsync(WirePacket.Pubcomp(got.Id));
        }

        await folder.ExpectAsync("message.dropped swallow denied");
        if (qos != Qos.AtMostOnce) await folder.ExpectAsync("message.acked s plain x");
        await folder.ExpectAsync("message.acked s raise x");
        Assert.DoesNotContain(folder.Lines(), line => line.StartsWith("message.acked s lower", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DurableSubscriberGetsAndAcknowledges_WhereverItsSessionIs(bool remote)
    {
        await using var broker = await BrokerHost.StartAsync(folder.Settings(), remote: remote);
        await using var subscriber = await RawClient.ConnectAsync(broker, "s", expiry: 600);
        await subscriber.SubscribeAsync("personal", Qos.AtLeastOnce);
        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await publisher.PublishAsync("personal", "x");
        var got = await subscriber.ExpectPublishAsync("personal", "s: x", Qos.AtLeastOnce);
        Assert.DoesNotContain(folder.Lines(), line => line.StartsWith("message.acked", StringComparison.Ordinal));
        await subscriber.SendAsync(WirePacket.Puback(got.Id));
        await folder.ExpectAsync("message.acked s personal s: x");
    }

    [Fact]
    public async Task OneMessageMayBeAnotherForEverySubscriber()
    {
        await using var broker = await StartAsync();
        await using var one = await RawClient.ConnectAsync(broker, "one");
        await using var two = await RawClient.ConnectAsync(broker, "two");
        await one.SubscribeAsync("personal");
        await two.SubscribeAsync("personal");
        await one.PublishAsync("personal", "x", Qos.AtMostOnce);
        await one.ExpectPublishAsync("personal", "one: x");
        await two.ExpectPublishAsync("personal", "two: x");
    }

    [Fact]
    public async Task ComingsAndGoingsAreTold()
    {
        await using var broker = await StartAsync(("Mqtt:MaxQueueLength", "1"), ("Mqtt:MaxInflight", "1"));
        await using (await RawClient.ConnectAsync(broker, "a"))
        {
            await folder.ExpectAsync("client.connected a");
            await folder.ExpectAsync("session.created a");
            await using var again = await RawClient.ConnectAsync(broker, "a");
            await folder.ExpectAsync("session.discarded a");
            await folder.ExpectAsync("client.disconnected a takeovered");
            await again.PublishAsync("nowhere", "x");
            await folder.ExpectAsync("message.dropped nowhere no_subscribers");
            await again.DisconnectAsync();
            await folder.ExpectAsync("client.disconnected a normal");
            await folder.ExpectAsync("session.terminated a");
        }

        await using var publisher = await RawClient.ConnectAsync(broker, "p");
        await using (var durable = await RawClient.ConnectAsync(broker, "d", expiry: 600))
        {
            await durable.SubscribeAsync("q", Qos.AtLeastOnce);
            durable.Drop();
        }

        await broker.SettleAsync();
        for (var i = 0; i < 3; i++) await publisher.PublishAsync("q", "x");
        await folder.ExpectAsync("delivery.dropped d q queue_full");
        await using var back = await RawClient.ConnectAsync(broker, "d", cleanStart: false, expiry: 600);
        await folder.ExpectAsync("session.resumed d");
        await using var third = await RawClient.ConnectAsync(broker, "d", cleanStart: false, expiry: 600);
        await folder.ExpectAsync("session.takeovered d");
        var order = Array.FindAll(folder.Lines(), line => line.Split(' ')[1] == "a");
        Assert.Equal(["session.created a", "client.connected a"], order[..2]);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(600u)]
    public async Task WillsArePublishedAsCallbacksLeaveThem(uint expiry)
    {
        await using var broker = await StartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "w");
        await watcher.SubscribeAsync("#");
        var dying = await RawClient.ConnectAsync(broker, "d", expiry: expiry, will: new WireWill("old/topic", Encoding.UTF8.GetBytes("x")));
        dying.Drop();
        await watcher.ExpectPublishAsync("new/topic", "x");
        await dying.DisposeAsync();
    }

    [Fact]
    public async Task PluginMayComeAndGo_WhileTheBrokerRuns()
    {
        await using var broker = await StartAsync();
        var host = broker.Services.GetRequiredService<PluginHost>();
        Assert.Equal([PluginFolder.Plugin], host.Running);
        Assert.True(await host.UnloadAsync(PluginFolder.Plugin));
        Assert.False(await host.UnloadAsync(PluginFolder.Plugin));
        await folder.ExpectAsync("stopped");
        Assert.Empty(host.Running);
        Assert.Equal(ReasonCode.Success, (await TryConnectAsync(broker, "root", "other")).Code);
        await Assert.ThrowsAsync<StartException>(() => host.LoadAsync("../" + PluginFolder.Plugin));
        Assert.Equal([PluginFolder.Plugin], host.Available());
        await host.LoadAsync(PluginFolder.Plugin);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await TryConnectAsync(broker, "root", "other")).Code);
    }

    [Fact]
    public async Task StartSaysWhichPluginIsWrong()
    {
        var missing = await Assert.ThrowsAsync<StartException>(() => StartAsync(("Plugins:Enabled:0", "other")));
        Assert.StartsWith("Plugin other: there is no ", missing.Message, StringComparison.Ordinal);
        Assert.Contains("there is no such folder", (await Assert.ThrowsAsync<StartException>(() => StartAsync(("Plugins:Folder", "/nowhere/at/all")))).Message, StringComparison.Ordinal);
        var unset = folder.Settings();
        unset.Remove($"Plugins:Settings:{PluginFolder.Plugin}:Journal");
        var failed = await Assert.ThrowsAsync<StartException>(() => BrokerHost.StartAsync(unset));
        Assert.Equal("Plugin SamplePlugin does not start: Plugins:Settings:SamplePlugin:Journal names no file", failed.Message);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, PluginFolder.Plugin, PluginFolder.Plugin + ".dll"), "no assembly", TestContext.Current.CancellationToken);
        Assert.StartsWith("Plugin SamplePlugin cannot be loaded from ", (await Assert.ThrowsAsync<StartException>(() => StartAsync())).Message, StringComparison.Ordinal);
    }

    private static async Task<ServerPacket> TryConnectAsync(BrokerHost broker, string user, string password)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("c", userName: user, password: Encoding.UTF8.GetBytes(password)));
        return await client.ExpectAsync(PacketType.Connack);
    }

    private Task<BrokerHost> StartAsync(params (string Key, string Value)[] settings) => BrokerHost.StartAsync(folder.Settings(settings));
}
