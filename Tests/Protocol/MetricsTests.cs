using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What clients do moves the counters. They belong to the process, in which other tests may run: they are compared with at least.</summary>
public sealed class MetricsTests(MetricsTests.Guarded broker) : IClassFixture<MetricsTests.Guarded>
{
    public sealed class Guarded() : BrokerHost([], services => services.AddSingleton<IAuthenticator, Passwords>().AddSingleton<IAuthorizer, Rules>());

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task ConnackErrorsCount_WhenAPasswordIsWrong(int level)
    {
        var counted = Since(
            (Metric.ClientConnect, 1), (Metric.PacketsConnackSent, 1), (Metric.PacketsConnackError, 1), (Metric.PacketsConnackAuthError, 1), (Metric.ClientRefused, 1),
            (Metric.ClientAuthenticate, 1), (Metric.ClientAuthFailure, 1));
        await using var client = await RawClient.OpenAsync(broker, level);
        await client.SendAsync(WirePacket.Connect($"wrong-{level}", level, userName: "u", password: [1]));
        await client.ExpectAsync(PacketType.Connack);
        await client.ExpectClosedAsync();
        counted();
    }

    [Fact]
    public async Task ConnackErrorsCount_WhenTheConnectIsMalformed()
    {
        var counted = Since((Metric.PacketsConnackSent, 1), (Metric.PacketsConnackError, 1), (Metric.PacketsMalformed, 1));
        await using var client = await RawClient.OpenAsync(broker, 4);
        await client.SendAsync(WirePacket.Connect("level", level: 9));
        await client.ExpectAsync(PacketType.Connack);
        await client.ExpectClosedAsync();
        counted();
    }

    [Fact]
    public async Task ConnackErrorsCount_WhenTheHandshakeFails()
    {
        broker.ExpectError("out of order");
        var counted = Since((Metric.PacketsConnackSent, 1), (Metric.PacketsConnackError, 1));
        await using var client = await RawClient.OpenAsync(broker);
        await client.SendAsync(WirePacket.Connect("fails", userName: "broken"));
        Assert.Equal(ReasonCode.UnspecifiedError, (await client.ExpectAsync(PacketType.Connack)).Code);
        await client.ExpectClosedAsync();
        counted();
    }

    [Fact]
    public async Task ClientsCount_WhenOneComesSubscribesAndGoes()
    {
        var counted = Since(
            (Metric.ClientConnect, 1), (Metric.ClientConnected, 1), (Metric.ClientDisconnected, 1), (Metric.PacketsConnackSent, 1), (Metric.ClientAuthenticate, 1),
            (Metric.ClientAuthSuccess, 1), (Metric.ClientAuthSuccessAnonymous, 1), (Metric.PacketsSubscribeReceived, 1), (Metric.PacketsUnsubscribeReceived, 1),
            (Metric.PacketsSubackSent, 1), (Metric.PacketsUnsubackSent, 1), (Metric.PacketsPingrespSent, 1), (Metric.SessionCreated, 1), (Metric.SessionTerminated, 1),
            (Metric.MessagesPublish, 2));
        await using var client = await RawClient.ConnectAsync(broker, "comes", will: new WireWill("comes", "gone"));
        await client.SubscribeAsync("comes");
        await client.PublishAsync("nobody", "x");
        await client.SendAsync(WirePacket.Unsubscribe(7, ["comes"]));
        await client.ExpectAsync(PacketType.Unsuback);
        await client.ExpectNothingAsync();
        await client.DisconnectAsync(ReasonCode.DisconnectWithWill);
        counted();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task RefusalsCount_WhenTopicsAreDenied(int level)
    {
        var counted = Since(
            (Metric.ClientCheckAcl, 3), (Metric.PacketsSubscribeError, 1), (Metric.PacketsSubscribeAuthError, 1), (Metric.PacketsPublishError, 1),
            (Metric.PacketsPublishAuthError, 2), (Metric.ClientAclCacheHit, 1));
        await using var client = await RawClient.ConnectAsync(broker, $"denied-{level}", level);
        await client.SendAsync(WirePacket.Subscribe(1, [("denied", 0), ("allowed", 0)], level));
        Assert.Equal((ReasonCode)(level == 4 ? 0x80 : 0x87), (await client.ExpectAsync(PacketType.Suback)).Code);
        foreach (var id in new ushort[] { 2, 3 }) // the second is denied by what was remembered
        {
            await client.SendAsync(WirePacket.Publish("denied", "x", Qos.AtLeastOnce, id, level: level));
            await client.ExpectAsync(PacketType.Puback);
        }

        counted();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UnexpectedAcknowledgementsCount_WhenInUseOrUnknown(bool durable)
    {
        var counted = Since(
            (Metric.PacketsPubackInuse, 1), (Metric.PacketsPubrecInuse, 2), (Metric.PacketsPubcompInuse, 1), (Metric.PacketsPubackMissed, 1),
            (Metric.PacketsPubrecMissed, 1), (Metric.PacketsPubcompMissed, 1));
        await using var client = await RawClient.ConnectAsync(broker, $"acknowledges-{durable}", level: 4, cleanStart: !durable);
        await client.SubscribeAsync($"acknowledges-{durable}", Qos.ExactlyOnce);
        await client.SendAsync(
            WirePacket.Publish($"acknowledges-{durable}", "1", Qos.AtLeastOnce, 50, level: 4),
            WirePacket.Publish($"acknowledges-{durable}", "2", Qos.ExactlyOnce, 51, level: 4));
        var got = new List<ServerPacket>();
        while (got.Count < 2)
        {
            var packet = await client.ReceiveAsync("PUBLISH");
            if (packet.Type == PacketType.Publish) got.Add(packet);
        }

        var (once, exactly) = (got.Single(packet => packet.Qos == Qos.AtLeastOnce).Id, got.Single(packet => packet.Qos == Qos.ExactlyOnce).Id);
        await client.SendAsync(
            WirePacket.Puback(exactly), WirePacket.Pubrec(once), WirePacket.Pubcomp(once), WirePacket.Puback(900), WirePacket.Pubrec(901), WirePacket.Pubcomp(902),
            WirePacket.Pubrec(exactly), WirePacket.Pubrec(exactly), WirePacket.Pubcomp(exactly), WirePacket.Puback(once), WirePacket.Pingreq);
        while ((await client.ReceiveAsync("PINGRESP")).Type != PacketType.Pingresp)
        {
        }

        counted();
    }

    [Theory]
    [InlineData(false, false, Metric.SessionTakeovered)]
    [InlineData(false, true, Metric.SessionDiscarded)]
    [InlineData(true, false, Metric.SessionTakeovered)]
    [InlineData(true, true, Metric.SessionDiscarded)]
    public async Task EndOfASessionCountsByItsReason_WhenTheClientConnectsAgain(bool durable, bool clean, Metric expected)
    {
        var counted = Since((expected, 1), (durable && !clean ? Metric.SessionResumed : Metric.SessionCreated, 1));
        await using var old = await RawClient.ConnectAsync(broker, $"reason-{durable}-{clean}", cleanStart: false, expiry: durable ? 100u : 0);
        await using var newer = await RawClient.ConnectAsync(broker, $"reason-{durable}-{clean}", cleanStart: clean, expiry: durable ? 100u : 0);
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        counted();
    }

    [Fact]
    public async Task NamesAreSpelledAsEmqxDoes_WhenPublished()
    {
        await using var speaking = await BrokerHost.StartAsync(new() { ["Mqtt:SysInterval"] = "00:00:00.1" });
        await using var client = await RawClient.ConnectAsync(speaking, "reads");
        // Names with two words and sums arrive with EMQ X's spelling.
        var wanted = new HashSet<string>
        {
            "client/check_acl", "client/connack", "client/auth/success/anonymous", "messages/publish", "packets/subscribe/auth_error", "packets/pubcomp/inuse",
        };
        await client.SubscribeAsync("$SYS/brokers/+/metrics/#");
        while (wanted.Count > 0)
        {
            var topic = (await client.ExpectAsync(PacketType.Publish)).Topic;
            wanted.Remove(topic[(topic.IndexOf("/metrics/", StringComparison.Ordinal) + "/metrics/".Length)..]);
        }
    }

    /// <summary>Remembers the counters; the result asserts that each has risen by at least so many.</summary>
    private static Action Since(params (Metric Metric, long Rise)[] expected)
    {
        var before = expected.Select(one => BrokerCounters.Read(one.Metric)).ToArray();
        return () => Assert.All(expected.Zip(before), pair =>
            Assert.True(
                BrokerCounters.Read(pair.First.Metric) >= pair.Second + pair.First.Rise,
                $"{MetricNames.Of(pair.First.Metric)}: {pair.Second} before, {BrokerCounters.Read(pair.First.Metric)} after, {pair.First.Rise} expected"));
    }

    private sealed class Passwords : IAuthenticator
    {
        public string Name => "test";

        public async ValueTask<AuthenticationResult> AuthenticateAsync(ClientInfo client, ReadOnlyMemory<byte>? password)
        {
            await Task.Yield();
            return client.UserName switch
            {
                null => new AuthenticationResult(AuthenticationVerdict.Ignore),
                "broken" => throw new InvalidOperationException("out of order"),
                _ => new AuthenticationResult(AuthenticationVerdict.Deny, ReasonCode.BadUserNameOrPassword),
            };
        }
    }

    private sealed class Rules : IAuthorizer
    {
        public string Name => "test";

        public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic) =>
            new(new AuthorizationResult(topic == "denied" ? AuthorizationVerdict.Deny : AuthorizationVerdict.Ignore));
    }
}
