using System.Collections.Concurrent;
using Broker.Gateway.History;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>The chains of sources: who may connect, and what a client may do.</summary>
public sealed class AccessTests
{
    private readonly Source source = new();

    private Task<BrokerHost> StartAsync(params (string Key, string Value)[] settings) => BrokerHost.StartAsync(
        settings.ToDictionary(one => "Security:" + one.Key, string? (one) => one.Value),
        services => services.AddSingleton<IAuthenticator>(source).AddSingleton<IAuthorizer>(source));

    [Theory]
    [InlineData("unknown", "true", 0)]
    [InlineData("unknown", "false", 0x87)]
    [InlineData("known", "false", 0)]
    [InlineData("wrong", "true", 0x86)]
    public async Task SourcesDecide_AndTheConfigurationWhenAllIgnore(string user, string anonymous, int code)
    {
        await using var broker = await StartAsync(("AllowAnonymous", anonymous));
        Assert.Equal((ReasonCode)code, await ConnectAsync(broker, user));
    }

    [Fact]
    public async Task ClientIsRefusedBeforeAnySourceIsAsked_WhenItMustHaveAUserName()
    {
        await using var broker = await StartAsync(("RequireUserName", "true"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(broker, null));
        Assert.Empty(source.Authenticated);
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "known"));
    }

    [Fact]
    public async Task NobodyIsAsked_WhenTheListenerTakesItsClientsAsTheyAre()
    {
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Security:AllowAnonymous"] = "false", ["Listeners:open:Kind"] = "tcp", ["Listeners:open:Port"] = "0", ["Listeners:open:Authentication"] = "false" },
            services => services.AddSingleton<IAuthenticator>(source));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "wrong"));
        Assert.Empty(source.Authenticated);
    }

    [Theory]
    [InlineData("", "first second")]
    [InlineData("second", "second")]
    public async Task SourcesAreAskedInTheirOrder_UntilOneKnowsTheClient(string first, string asked)
    {
        var order = new ConcurrentQueue<string>();
        await using var broker = await BrokerHost.StartAsync(
            new() { ["Security:AuthenticationOrder:0"] = first },
            services => services.AddSingleton<IAuthenticator>(new Named("first", order, AuthenticationResult.Ignore))
                .AddSingleton<IAuthenticator>(new Named("second", order, AuthenticationResult.Allow())));
        Assert.Equal(ReasonCode.Success, await ConnectAsync(broker, "u"));
        Assert.Equal(asked, string.Join(' ', order));
    }

    [Theory]
    [InlineData(4, Qos.AtMostOnce)]
    [InlineData(4, Qos.AtLeastOnce)]
    [InlineData(4, Qos.ExactlyOnce)]
    [InlineData(5, Qos.AtMostOnce)]
    [InlineData(5, Qos.AtLeastOnce)]
    [InlineData(5, Qos.ExactlyOnce)]
    public async Task DeniedPublishIsAnsweredAndNotRouted(int level, Qos qos)
    {
        await using var broker = await StartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("#");
        await using var client = await RawClient.ConnectAsync(broker, "client", level);
        await client.SendAsync(WirePacket.Publish("denied", "x", qos, 7, level: level));
        if (qos != Qos.AtMostOnce)
        {
            var (id, code) = await client.ExpectAcknowledgementAsync(qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec);
            Assert.Equal((7, level == 5 ? ReasonCode.NotAuthorized : ReasonCode.Success), (id, code));
        }

        await client.SendAsync(WirePacket.Publish("open", "y", level: level));
        await watcher.ExpectPublishAsync("open", "y");
        await watcher.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task ConnectionEnds_WhenThatIsWhatADenialCosts(int level)
    {
        await using var broker = await StartAsync(("DenyAction", "disconnect"));
        await using (var publisher = await RawClient.ConnectAsync(broker, "publisher", level))
        {
            await publisher.SendAsync(WirePacket.Publish("denied", "x", level: level));
            await publisher.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        }

        await using var subscriber = await RawClient.ConnectAsync(broker, "subscriber", level);
        await subscriber.SendAsync(WirePacket.Subscribe(1, "denied", level: level));
        await subscriber.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
    }

    [Fact]
    public async Task SharedFilterIsCheckedWithoutItsPrefix()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.SendAsync(WirePacket.Subscribe(1, "$share/g/denied"));
        Assert.Equal((1, ReasonCode.NotAuthorized), await client.ExpectAcknowledgementAsync(PacketType.Suback));
        await client.SubscribeAsync("$share/g/open");
        Assert.Equal(["denied", "open"], source.Authorized.Select(one => one.Topic));
    }

    [Fact]
    public async Task SourcesAreAskedAgain_OnlyWhenTheAnswerIsOldOrRulesHaveChanged()
    {
        await using var broker = await StartAsync(("AccessCacheTime", "00:01:00"));
        await using var client = await RawClient.ConnectAsync(broker, "client", keepAlive: 0);
        foreach (var topic in new[] { "open", "denied" })
        {
            source.Authorized.Clear();
            for (var i = 0; i < 3; i++) await client.SendAsync(WirePacket.Publish(topic, "x", Qos.AtLeastOnce, 1));
            for (var i = 0; i < 3; i++) await client.ExpectAsync(PacketType.Puback);
            Assert.Single(source.Authorized);
            broker.Advance(TimeSpan.FromSeconds(61));
            await client.PublishAsync(topic, "x");
            Assert.Equal(2, source.Authorized.Count);
            broker.Services.GetRequiredService<AnswerEpoch>().Next();
            await client.PublishAsync(topic, "x");
            Assert.Equal(3, source.Authorized.Count);
        }
    }

    [Fact]
    public async Task SourcesAreAskedEachTime_WhenNothingIsRemembered()
    {
        await using var broker = await StartAsync(("AccessCacheSize", "0"));
        await using var client = await RawClient.ConnectAsync(broker, "client");
        for (var i = 0; i < 3; i++) await client.PublishAsync("open", "x");
        Assert.Equal(3, source.Authorized.Count);
    }

    [Fact]
    public async Task NobodyIsAsked_WhenTheClientIsASuperuser()
    {
        await using var broker = await StartAsync(("NoMatch", "deny"));
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("client", userName: "super"));
        Assert.Equal(ReasonCode.Success, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.SubscribeAsync("denied");
        await client.SendAsync(WirePacket.Publish("denied", "x"));
        await client.ExpectPublishAsync("denied", "x");
        Assert.Empty(source.Authorized);
    }

    [Theory]
    [InlineData("allow", ReasonCode.NoMatchingSubscribers)]
    [InlineData("deny", ReasonCode.NotAuthorized)]
    public async Task ConfigurationDecides_WhenNoSourceDoes(string noMatch, ReasonCode code)
    {
        await using var broker = await BrokerHost.StartAsync(new() { ["Security:NoMatch"] = noMatch });
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.SendAsync(WirePacket.Publish("topic", "x", Qos.AtLeastOnce, 1));
        Assert.Equal((1, code), await client.ExpectAcknowledgementAsync(PacketType.Puback));
    }

    [Theory]
    [InlineData("ignore", 0)]
    [InlineData("disconnect", 0x87)]
    public async Task DeniedWillIsNotPublished(string action, int code)
    {
        await using var broker = await StartAsync(("DenyAction", action));
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("#");
        await using (var client = await RawClient.OpenAsync(broker))
        {
            await client.SendAsync(WirePacket.Connect("client", will: new WireWill("denied", "gone"u8.ToArray())));
            Assert.Equal((ReasonCode)code, (await client.ExpectAsync(PacketType.Connack)).Code);
            client.Drop();
        }

        await broker.SettleAsync();
        await watcher.ExpectNothingAsync();
    }

    [Fact]
    public async Task MountpointIsTheSourcesOwn_WhenItGivesOne()
    {
        await using var broker = await StartAsync();
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("#");
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("client", userName: "mounted"));
        await client.ExpectAsync(PacketType.Connack);
        await client.PublishAsync("t", "x");
        await watcher.ExpectPublishAsync("mounted/client/t", "x");
    }

    [Fact]
    public async Task HistorySaysWhyAClientWasRefused()
    {
        await using var broker = await StartAsync();
        await ConnectAsync(broker, "wrong");
        await ConnectAsync(broker, "wrong");
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.SendAsync(WirePacket.Subscribe(1, "denied"), WirePacket.Publish("denied", "x", Qos.AtLeastOnce, 1));
        await client.ExpectAsync(PacketType.Suback);
        await client.ExpectAsync(PacketType.Puback);
        var history = broker.Services.GetRequiredService<FlightRecorder>();
        Assert.Equal(
            [(ClientEventKind.SubscribeDenied, "source", "the rule", "denied"), (ClientEventKind.PublishDenied, "source", "the rule", "denied")],
            history.Of("client").Where(one => one.Rule is not null).Select(one => (one.Kind, one.Source!, one.Rule, one.Topic)));
        await ConnectAsync(broker, "wrong");
        Assert.Equal(
            (ClientEventKind.ConnectRefused, ReasonCode.BadUserNameOrPassword, "source", "wrong password"),
            history.Of("client").Select(one => (one.Kind, one.Code, one.Source!, one.Reason)).Last());
    }

    private static async Task<ReasonCode> ConnectAsync(BrokerHost broker, string? user)
    {
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("client", userName: user));
        return (await client.ExpectAsync(PacketType.Connack)).Code;
    }

    private sealed class Named(string name, ConcurrentQueue<string> asked, AuthenticationResult answer) : IAuthenticator
    {
        public string Name => name;

        public ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            asked.Enqueue(name);
            return new(answer);
        }
    }

    /// <summary>Knows some users, denies one topic, says nothing of others.</summary>
    private sealed class Source : IAuthenticator, IAuthorizer
    {
        public string Name => "source";

        public ConcurrentQueue<string?> Authenticated { get; } = new();

        public ConcurrentQueue<(TopicAccess Access, string Topic)> Authorized { get; } = new();

        public ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            Authenticated.Enqueue(client.UserName);
            return new(client.UserName switch
            {
                "known" => AuthenticationResult.Allow(),
                "super" => AuthenticationResult.Allow(new ClientGrants { IsSuperuser = true }),
                "mounted" => AuthenticationResult.Allow(new ClientGrants { Mountpoint = "mounted/%c/" }),
                "wrong" => AuthenticationResult.Deny(ReasonCode.BadUserNameOrPassword, "wrong password"),
                _ => AuthenticationResult.Ignore,
            });
        }

        public async ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
        {
            Authorized.Enqueue((access, topic));
            await Task.Yield();
            return topic == "denied" ? new AuthorizationResult(AuthorizationVerdict.Deny, "the rule") : new AuthorizationResult(AuthorizationVerdict.Ignore);
        }
    }
}
