using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol;

public class KeepAliveTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [Clause("MQTT-3.1.2-22")]
    [Clause("3.1.1 MQTT-3.1.2-24")]
    [Clause("MQTT-3.2.2-22")]
    public async Task Cuts_WhenSilentForOneAndAHalfKeepAlives(int level)
    {
        await using var client = await RawClient.ConnectAsync(broker, $"silent-{level}", level, keepAlive: 100);
        broker.Advance(TimeSpan.FromSeconds(145));
        await client.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(145));
        await client.ExpectNothingAsync();
        broker.Advance(TimeSpan.FromSeconds(150));
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    public async Task Stays_WhenKeepAliveIsZero()
    {
        await using var client = await RawClient.ConnectAsync(broker, "for-ever");
        await using var other = await RawClient.ConnectAsync(broker, "not-for-ever", keepAlive: 1);
        broker.Advance(TimeSpan.FromDays(2));
        await other.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-3.1.2-22")]
    public async Task Cuts_WhenOnlyTheServerSends()
    {
        await using var client = await RawClient.ConnectAsync(broker, "listener", keepAlive: 100);
        await client.SubscribeAsync("listener");
        await using var publisher = await RawClient.ConnectAsync(broker, "listener-publisher");
        broker.Advance(TimeSpan.FromSeconds(140));
        await publisher.PublishAsync("listener", "x");
        await client.ExpectPublishAsync("listener", "x");
        broker.Advance(TimeSpan.FromSeconds(20));
        await client.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    public async Task ClosesSilently_WhenNoConnectComesInTime()
    {
        await using var client = await RawClient.OpenAsync(broker);
        await using var half = await RawClient.OpenAsync(broker);
        await half.SendAsync([.. WirePacket.Connect("half").Take(5)]);
        await using var barrier = await RawClient.ConnectAsync(broker, "idle-barrier");
        broker.Advance(TimeSpan.FromSeconds(16));
        await client.ExpectClosedAsync();
        await half.ExpectClosedAsync();
    }

    [Fact]
    public async Task Stays_WhenItIsTheBrokerThatDoesNotRead()
    {
        var gate = new Gate();
        await using var slow = await BrokerHost.StartAsync([], services => services.AddSingleton<IAuthorizer>(gate));
        await using var client = await RawClient.ConnectAsync(slow, "waits", keepAlive: 100);
        await using var other = await RawClient.ConnectAsync(slow, "silent", keepAlive: 100);
        await client.SendAsync(WirePacket.Publish("waits", "x"), WirePacket.Pingreq);
        await gate.Asked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        slow.Advance(TimeSpan.FromSeconds(151));
        await other.ExpectDisconnectAsync(ReasonCode.KeepAliveTimeout);
        gate.Open.SetResult(new(AuthorizationVerdict.Allow));
        await client.ExpectAsync(Broker.Gateway.Mqtt.Packets.PacketType.Pingresp);
        await client.ExpectNothingAsync();
    }

    /// <summary>An authorizer that lets everybody wait.</summary>
    private sealed class Gate : IAuthorizer
    {
        public string Name => "test";

        public TaskCompletionSource Asked { get; } = new();

        public TaskCompletionSource<AuthorizationResult> Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic)
        {
            Asked.TrySetResult();
            return new ValueTask<AuthorizationResult>(Open.Task);
        }
    }
}
