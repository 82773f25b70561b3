using System.Diagnostics;
using System.Text;
using Broker.Gateway.ExHook;
using Broker.Gateway.ExHook.Protocol;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Harness;
using Broker.Tests.Protocol.Transport;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;
using ResponsedType = Broker.Gateway.ExHook.Protocol.ValuedResponse.Types.ResponsedType;
using WirePacket = Broker.Tests.Protocol.Harness.WirePacket;

namespace Broker.Tests.Cluster.ExHook;

/// <summary>Hooks that a real gRPC server serves.</summary>
[Collection(BrokerProcessCollection.Name)]
public sealed class ExHookTests
{
    private static readonly string[] AllHooks =
    [
        "client.connect", "client.connack", "client.connected", "client.disconnected", "client.authenticate", "client.check_acl", "client.subscribe", "client.unsubscribe",
        "session.created", "session.resumed", "session.discarded", "session.takeovered", "session.terminated", "session.subscribed", "session.unsubscribed",
        "message.publish", "message.delivered", "message.acked", "message.dropped",
    ];

    [Fact]
    public async Task ServerIsToldEverything()
    {
        await using var server = await OpenServerAsync(AllHooks);
        await using (var broker = await OpenAsync(server, ("Mqtt:Mountpoint", "m/"), ("Listeners:tcp:Kind", "tcp"), ("Listeners:tcp:Address", "127.0.0.1"), ("Listeners:tcp:Port", "0")))
        {
            var loaded = await server.ExpectAsync<ProviderLoadedRequest>();
            Assert.NotEmpty(loaded.Broker.Version);
            Assert.Equal(loaded.Broker.Version, loaded.Meta.Version);
            Assert.NotEmpty(loaded.Meta.Node);
            Assert.NotEmpty(loaded.Meta.ClusterName);
            await PlayAsync(broker);
            await CheckAsync(server);
            Assert.DoesNotContain(server.Requests.OfType<MessagePublishRequest>(), one => one.Message.Topic.StartsWith("$SYS/", StringComparison.Ordinal));
        }

        await server.ExpectAsync<ProviderUnloadedRequest>();
    }

    [Theory]
    [InlineData("StopAndReturn", true, ReasonCode.Success)]
    [InlineData("Continue", true, ReasonCode.Success)]
    [InlineData("StopAndReturn", false, ReasonCode.NotAuthorized)]
    [InlineData("Continue", false, ReasonCode.NotAuthorized)]
    [InlineData("Ignore", true, ReasonCode.NotAuthorized)] // nobody else knows it
    public async Task ServerDecidesWhoMayConnect(string type, bool value, ReasonCode answer)
    {
        await using var server = await OpenServerAsync("client.authenticate");
        server.Decide = _ => new ValuedResponse { Type = Enum.Parse<ResponsedType>(type), BoolResult = value };
        await using var broker = await OpenAsync(server, ("Security:AllowAnonymous", "false"));
        Assert.Equal(answer, await ConnectAsync(broker, "emqx", "public"));
        var asked = await server.ExpectAsync<ClientAuthenticateRequest>();
        Assert.Equal(("emqx", "public", false), (asked.Clientinfo.Username, asked.Clientinfo.Password, asked.Result));
    }

    [Fact]
    public async Task ServerDecidesWhatClientsMayDo()
    {
        await using var server = await OpenServerAsync("client.check_acl");
        server.Decide = request => new ValuedResponse { BoolResult = ((ClientCheckAclRequest)request) is { Topic: "a", Type: ClientCheckAclRequest.Types.AclReqType.Publish } };
        await using var broker = await OpenAsync(server);
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.SendAsync(WirePacket.Publish("a", "x", Qos.AtLeastOnce, 1), WirePacket.Publish("b", "x", Qos.AtLeastOnce, 2), WirePacket.Subscribe(3, "a"));
        Assert.NotEqual(ReasonCode.NotAuthorized, (await client.ExpectAcknowledgementAsync(PacketType.Puback)).Code);
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAcknowledgementAsync(PacketType.Puback)).Code);
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAcknowledgementAsync(PacketType.Suback)).Code);
    }

    [Fact]
    public async Task ServerChangesTopicQosAndPayload_OfWhatItWantsToSee()
    {
        await using var server = await OpenServerAsync("message.publish in/# +/b");
        server.Decide = request => ((MessagePublishRequest)request).Message.Topic == "in/bad"
            ? new ValuedResponse { Message = new Message { Topic = "no/#", Qos = 7 } }
            : new ValuedResponse { Message = new Message { Topic = "out", Qos = 0, Payload = ByteString.CopyFromUtf8("changed") } };
        await using var broker = await OpenAsync(server);
        await using var watcher = await RawClient.ConnectAsync(broker, "w");
        await watcher.SubscribeAsync("#");
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.PublishAsync("in/a", "x", Qos.ExactlyOnce);
        await watcher.ExpectPublishAsync("out", "changed");
        await client.PublishAsync("other", "x", Qos.AtMostOnce);
        await watcher.ExpectPublishAsync("other", "x");
        await client.PublishAsync("in/bad", "x", Qos.AtMostOnce); // what is no topic changes nothing
        await watcher.ExpectPublishAsync("in/bad", "x");
        Assert.Equal(["in/a", "in/bad"], server.Requests.OfType<MessagePublishRequest>().Select(one => one.Message.Topic));
    }

    [Theory]
    [InlineData("deny")]
    [InlineData("ignore")]
    public async Task ConfigurationSaysWhatAnOutageMeans_FromTheFirstMomentOn(string action)
    {
        var isOpen = action == "ignore";
        await using var server = new HookServer(["client.authenticate", "client.check_acl", "message.publish"]);
        server.Decide = request => request is MessagePublishRequest ? null : new ValuedResponse { BoolResult = true };
        await using var broker = await OpenAsync(server, ("ExHook:RequestFailedAction", action), ("ExHook:AutoReconnect", "00:00:00.2"), ("ExHook:RequestTimeout", "00:00:01"), ("Security:AccessCacheSize", "0"));
        Assert.Equal(isOpen, await ConnectAsync(broker) == ReasonCode.Success);
        await server.StartAsync();
        await ReconnectAsync(broker, server);
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker));
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.PublishAsync("a", "x");
        await server.KillAsync();
        Assert.Equal(isOpen, await ConnectAsync(broker) == ReasonCode.Success);
        await client.SendAsync(WirePacket.Publish("a", "x", Qos.AtLeastOnce, 1));
        Assert.Equal(isOpen, (await client.ExpectAcknowledgementAsync(PacketType.Puback)).Code != ReasonCode.NotAuthorized);
        server.Hooks = ["client.authenticate"];
        await server.StartAsync();
        await ReconnectAsync(broker, server);
        Assert.Equal(["client.authenticate"], Server(broker).Hooks);
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker));
    }

    [Fact]
    public async Task OthersAreServed_WhileTheServerDoesNotAnswer()
    {
        await using var server = await OpenServerAsync("message.publish slow/#", "message.acked", "client.connected");
        await using var broker = await OpenAsync(server, ("ExHook:RequestTimeout", "00:00:02"), ("ExHook:MaxPending", "50"));
        await using var watcher = await RawClient.ConnectAsync(broker, "w");
        await watcher.SubscribeAsync("#");
        await using var slow = await RawClient.ConnectAsync(broker, "s");
        await using var quick = await RawClient.ConnectAsync(broker, "q");
        server.Freeze();
        var clock = Stopwatch.StartNew();
        await slow.SendAsync(WirePacket.Publish("slow/x", "1"), WirePacket.Publish("quick", "2"));
        for (var i = 0; i < 100; i++)
        {
            await quick.PublishAsync("quick", "x", Qos.AtMostOnce);
            await watcher.ExpectPublishAsync("quick", "x");
        }

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1.9), $"100 messages took {clock.Elapsed}");
        await watcher.ExpectPublishAsync("slow/x", "1"); // unchanged, when the time was over
        await watcher.ExpectPublishAsync("quick", "2"); // behind it
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(1.9), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task ServerMustBeTheRightOne_WhenItIsVerified()
    {
        using var certificates = new TestCertificates();
        using var strangers = new TestCertificates("Other CA");
        using var signed = certificates.Sign("server", "CN=hooks", "localhost");
        using var own = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(certificates.FileOf("server.pem"), certificates.FileOf("server.key"));
        await using var server = new HookServer(["client.authenticate"], own);
        await server.StartAsync();
        foreach (var (tls, authority, answer) in new[] { ("verify", certificates.Authority, true), ("verify", strangers.Authority, false), ("verify", "", false), ("on", "", true) })
        {
            await using var broker = await OpenAsync(server, ("ExHook:Servers:own:Tls", tls), ("ExHook:Servers:own:CaFile", authority));
            Assert.Equal((tls, authority, answer), (tls, authority, Server(broker).IsConnected));
            Assert.Equal(answer, await ConnectAsync(broker) == ReasonCode.Success);
        }
    }

    [Fact]
    public async Task UnknownHooksAreLeftOut()
    {
        await using var server = await OpenServerAsync("client.authenticate", "no.such.hook");
        await using var broker = await OpenAsync(server);
        Assert.Equal(["client.authenticate"], Server(broker).Hooks);
    }

    [Theory]
    [InlineData("Servers:own:Url", "ftp://x", "ExHook:Servers:own:Url = 'ftp://x' is no http or https address")]
    [InlineData("Servers:own:Url", "", "ExHook:Servers:own:Url = '' is no http or https address")]
    [InlineData("Servers:own:Tls", "off", "ExHook:Servers:own:Tls = 'off' is neither on nor verify")]
    [InlineData("Servers:own:CaFile", "/nowhere/at/all", "ExHook:Servers:own:CaFile = /nowhere/at/all: there is no such file")]
    [InlineData("RequestFailedAction", "perhaps", "RequestFailedAction")]
    [InlineData("RequestTimeout", "0", "RequestTimeout")]
    [InlineData("MaxPending", "0", "MaxPending")]
    public async Task BadSettingsStopTheStart(string key, string value, string message)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            BrokerHost.StartAsync(new Dictionary<string, string?> { ["ExHook:Servers:own:Url"] = "http://localhost:1", [$"ExHook:{key}"] = value }));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
    }

    private static async Task<HookServer> OpenServerAsync(params string[] hooks)
    {
        var server = new HookServer(hooks);
        await server.StartAsync();
        return server;
    }

    private static Task<BrokerHost> OpenAsync(HookServer server, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["ExHook:Servers:own:Url"] = server.Url, ["Security:BruteForce:Failures"] = "0" };
        foreach (var (key, value) in settings) all[key] = value;
        return BrokerHost.StartAsync(all);
    }

    private static ExHookServer Server(BrokerHost broker) => broker.Services.GetRequiredService<ExHookServers>().All[0];

    private static async Task<ReasonCode> ConnectAsync(BrokerHost broker, string? user = null, string? password = null)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("", userName: user, password: password is null ? null : Encoding.UTF8.GetBytes(password)));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    /// <summary>Waits for a reconnection.</summary>
    private static async Task ReconnectAsync(BrokerHost broker, HookServer server)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var before = server.Requests.OfType<ProviderLoadedRequest>().Count();
        while (server.Requests.OfType<ProviderLoadedRequest>().Count() == before || !Server(broker).IsConnected)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Delay(10, patience.Token);
        }
    }

    /// <summary>What makes every hook happen.</summary>
    private static async Task PlayAsync(BrokerHost broker)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("c", userName: "emqx", password: "public"u8.ToArray(), keepAlive: 60, properties: new WireProperties().Add(Gateway.Mqtt.Codec.V5.PropertyId.UserProperty, ("a", "b"))));
        await client.ExpectAsync(PacketType.Connack);
        await client.SubscribeAsync("$share/g/t", Qos.AtLeastOnce);
        await client.SendAsync(WirePacket.Publish("t", "x", Qos.AtLeastOnce, 9));
        var got = await client.ExpectPublishAsync("t", "x", Qos.AtLeastOnce);
        await client.ExpectAsync(PacketType.Puback);
        await client.SendAsync(WirePacket.Puback(got.Id), WirePacket.Publish("nowhere", "x"), WirePacket.Unsubscribe(2, ["$share/g/t"]));
        await client.ExpectAsync(PacketType.Unsuback);
        await using var again = await RawClient.ConnectAsync(broker, "c", expiry: 600);
        await using var third = await RawClient.ConnectAsync(broker, "c", cleanStart: false, expiry: 600);
        await third.DisconnectAsync();
        await using var last = await RawClient.ConnectAsync(broker, "last");
        await last.DisconnectAsync();
    }

    private static async Task CheckAsync(HookServer server)
    {
        var connect = await server.ExpectAsync<ClientConnectRequest>(one => one.Conninfo.Clientid == "c");
        Assert.Equal(("emqx", "127.0.0.1", "MQTT", "5", 60u), (connect.Conninfo.Username, connect.Conninfo.Peerhost, connect.Conninfo.ProtoName, connect.Conninfo.ProtoVer, connect.Conninfo.Keepalive));
        Assert.Equal([new Property { Name = "a", Value = "b" }], connect.Props);
        Assert.Equal("success", (await server.ExpectAsync<ClientConnackRequest>()).ResultCode);
        var connected = (await server.ExpectAsync<ClientConnectedRequest>(one => one.Clientinfo.Clientid == "c")).Clientinfo;
        Assert.Equal(("emqx", "", "127.0.0.1", "mqtt", "m/"), (connected.Username, connected.Password, connected.Peerhost, connected.Protocol, connected.Mountpoint));
        Assert.True(connected.Sockport > 0);
        Assert.Equal("public", (await server.ExpectAsync<ClientAuthenticateRequest>()).Clientinfo.Password);
        Assert.Equal("t", (await server.ExpectAsync<ClientCheckAclRequest>(one => one.Type == ClientCheckAclRequest.Types.AclReqType.Subscribe)).Topic);
        Assert.Equal("t", (await server.ExpectAsync<ClientCheckAclRequest>(one => one.Type == ClientCheckAclRequest.Types.AclReqType.Publish)).Topic);
        Assert.Equal([new TopicFilter { Name = "$share/g/t", Qos = 1 }], (await server.ExpectAsync<ClientSubscribeRequest>()).TopicFilters);
        var subscribed = await server.ExpectAsync<SessionSubscribedRequest>();
        Assert.Equal(("$share/g/m/t", 1u, "g"), (subscribed.Topic, subscribed.Subopts.Qos, subscribed.Subopts.Share));
        Assert.Equal([new TopicFilter { Name = "$share/g/t" }], (await server.ExpectAsync<ClientUnsubscribeRequest>()).TopicFilters);
        Assert.Equal("$share/g/m/t", (await server.ExpectAsync<SessionUnsubscribedRequest>()).Topic);
        var published = (await server.ExpectAsync<MessagePublishRequest>()).Message;
        Assert.Equal(("m/t", "x", "c", 1u), (published.Topic, published.Payload.ToStringUtf8(), published.From, published.Qos));
        Assert.InRange((long)published.Timestamp, 1_700_000_000_000, long.MaxValue);
        var dropped = await server.ExpectAsync<MessageDroppedRequest>();
        Assert.Equal(("m/nowhere", "no_subscribers"), (dropped.Message.Topic, dropped.Reason));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        // Delivered and acknowledged.
        while (server.Requests.OfType<MessageClientRequest>().Count(one => one.Message.Topic == "m/t" && one.Clientinfo.Clientid == "c") < 2) await Task.Delay(5, patience.Token);
        Assert.Equal("takeovered", (await server.ExpectAsync<ClientDisconnectedRequest>()).Reason);
        Assert.Equal("last", (await server.ExpectAsync<SessionTerminatedRequest>(one => one.Clientinfo.Clientid == "last")).Clientinfo.Clientid);
        // Created, discarded, created, taken over, resumed.
        while (server.Requests.OfType<SessionRequest>().Count(one => one.Clientinfo.Clientid == "c") < 5) await Task.Delay(5, patience.Token);
    }
}
