using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>What becomes of the messages of a member that leaves a shared subscription or is away.</summary>
public class SharedMemberTests : IClassFixture<SharedBroker>
{
    private readonly BrokerHost broker;

    public SharedMemberTests(SharedBroker broker) => this.broker = broker;

    /// <summary>What the leaving member has not acknowledged, and what still waits for its window, goes to the other.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Redispatches_WhenMemberLeavesWithUnacknowledged(bool durable, bool otherDurable)
    {
        var name = $"rd{durable}{otherDurable}";
        await using var publisher = await RawClient.ConnectAsync(broker, $"{name}-p");
        var leaving = (await SharedMembers.ConnectAsync(broker, name, $"$share/rd/rd/{name}", 1, [durable], window: 5))[0];
        for (var i = 0; i < 20; i++) await publisher.PublishAsync($"rd/{name}", $"{i}");
        for (var i = 0; i < 5; i++) await leaving.ExpectPublishAsync($"rd/{name}", $"{i}", Qos.AtLeastOnce);
        var other = (await SharedMembers.ConnectAsync(broker, $"{name}-o", $"$share/rd/rd/{name}", 1, [otherDurable]))[0];
        if (durable) await leaving.SendAsync(WirePacket.Disconnect(ReasonCode.Success, new WireProperties().Add(PropertyId.SessionExpiryInterval, 0u)));
        else leaving.Drop();
        var seen = new List<int>();
        while (seen.Count < 20)
        {
            var got = await other.ExpectAsync(PacketType.Publish);
            seen.Add(int.Parse(got.Text, System.Globalization.CultureInfo.InvariantCulture));
            await other.SendAsync(WirePacket.Puback(got.Id));
        }

        Assert.Equal(Enumerable.Range(0, 20), seen.Order());
        await other.ExpectNothingAsync();
        await SharedMembers.DisposeAsync([leaving, other]);
    }

    [Fact]
    [Clause("MQTT-4.8.2-5")]
    public async Task KeepsQos2FromOthers_WhenMemberLeavesInTheMiddle()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "rd2-p");
        await using var leaving = await RawClient.ConnectAsync(broker, "rd2-0", properties: SharedMembers.Window(1));
        await leaving.SubscribeAsync("$share/rd/rd/2", Qos.ExactlyOnce);
        for (var i = 0; i < 3; i++) await publisher.PublishAsync("rd/2", $"{i}", Qos.ExactlyOnce);
        await leaving.ExpectPublishAsync("rd/2", "0", Qos.ExactlyOnce); // it may have this one
        await using var other = await RawClient.ConnectAsync(broker, "rd2-1");
        await other.SubscribeAsync("$share/rd/rd/2", Qos.ExactlyOnce);
        leaving.Drop();
        await other.ExpectPublishAsync("rd/2", "1", Qos.ExactlyOnce);
        await other.ExpectPublishAsync("rd/2", "2", Qos.ExactlyOnce);
        await other.ExpectNothingAsync();
    }

    [Fact]
    [Clause("MQTT-4.8.2-4")]
    public async Task FinishesQos2WithTheSameMember_WhenItsConnectionBreaksInTheMiddle()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "back-p");
        var leaving = await RawClient.ConnectAsync(broker, "back-0", expiry: 60);
        await leaving.SubscribeAsync("$share/rd/rd/back", Qos.ExactlyOnce);
        await publisher.PublishAsync("rd/back", "x", Qos.ExactlyOnce);
        var sent = await leaving.ExpectPublishAsync("rd/back", "x", Qos.ExactlyOnce);
        await using var other = await RawClient.ConnectAsync(broker, "back-1");
        await other.SubscribeAsync("$share/rd/rd/back", Qos.ExactlyOnce);
        leaving.Drop();
        await using var back = await RawClient.ConnectAsync(broker, "back-0", cleanStart: false, expiry: 60);
        Assert.Equal(sent.Id, (await back.ExpectPublishAsync("rd/back", "x", Qos.ExactlyOnce)).Id);
        await back.SendAsync(WirePacket.Pubrec(sent.Id));
        Assert.Equal(sent.Id, (await back.ExpectAsync(PacketType.Pubrel)).Id);
        await other.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false, Qos.AtLeastOnce)]
    [InlineData(false, Qos.ExactlyOnce)]
    [InlineData(true, Qos.AtLeastOnce)]
    [InlineData(true, Qos.ExactlyOnce)]
    [Clause("MQTT-4.8.2-6")]
    public async Task DropsTheMessage_WhenTheMemberRefusesIt(bool durable, Qos qos)
    {
        var topic = $"rd/refuse/{durable}/{qos}";
        await using var publisher = await RawClient.ConnectAsync(broker, topic + "-p");
        await using var refusing = await RawClient.ConnectAsync(broker, topic + "-0", expiry: durable ? 60u : null);
        await refusing.SubscribeAsync($"$share/rd/{topic}", qos);
        await publisher.PublishAsync(topic, "x", qos);
        var sent = await refusing.ExpectPublishAsync(topic, "x", qos);
        await using var other = await RawClient.ConnectAsync(broker, topic + "-1");
        await other.SubscribeAsync($"$share/rd/{topic}", qos);
        await refusing.SendAsync(WirePacket.Acknowledge(qos == Qos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec, sent.Id, ReasonCode.QuotaExceeded));
        await refusing.ExpectNothingAsync();
        await refusing.DisconnectAsync(properties: durable ? new WireProperties().Add(PropertyId.SessionExpiryInterval, 0u) : null);
        await other.ExpectNothingAsync();
    }

    [Fact]
    public async Task QueuesForDurableMember_WhenItIsAway()
    {
        await using var publisher = await RawClient.ConnectAsync(broker, "away-p");
        var members = await SharedMembers.ConnectAsync(broker, "away", "$share/rr/st/away", 2, [true, true]);
        foreach (var member in members) await member.DisconnectAsync();
        for (var i = 0; i < 10; i++) await publisher.PublishAsync("st/away", $"{i}");
        var seen = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            await using var back = await RawClient.ConnectAsync(broker, $"away-{i}", cleanStart: false, expiry: 60);
            var got = await back.DrainAsync();
            Assert.Equal(5, got.Count);
            seen.AddRange(got);
        }

        Assert.Equal(Enumerable.Range(0, 10), seen.Select(int.Parse).Order());
        await SharedMembers.DisposeAsync(members);
    }

    /// <summary>Members come and go while messages flow: each acknowledged QoS 1 message reaches at least one.</summary>
    [Fact]
    public async Task LosesNothing_WhenMembersComeAndGo()
    {
        const int Count = 1500;
        await using var publisher = await RawClient.ConnectAsync(broker, "churn-p");
        await using var steady = await RawClient.ConnectAsync(broker, "churn-steady", properties: SharedMembers.Window(30_000));
        await steady.SubscribeAsync("$share/churn/churn/#", Qos.AtLeastOnce);
        var seen = new HashSet<string>();
        var members = 0;
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await publisher.PublishAsync($"churn/{i % 3}", $"{i}");
        }, TestContext.Current.CancellationToken);
        while (!publishing.IsCompleted)
        {
            var passing = await RawClient.ConnectAsync(broker, $"churn-{members++}");
            await passing.SubscribeAsync("$share/churn/churn/#", Qos.AtLeastOnce);
            for (var round = 0; round < 3; round++)
            {
                await passing.SendAsync(WirePacket.Pingreq);
                for (ServerPacket got; (got = await passing.ReceiveAsync()).Type == PacketType.Publish;)
                {
                    if (got.Id % 3 != 0) continue; // the others it leaves unacknowledged
                    await passing.SendAsync(WirePacket.Puback(got.Id));
                    seen.Add(got.Text);
                }
            }

            await passing.DisposeAsync();
        }

        await publishing;
        while (seen.Count < Count)
        {
            var got = await steady.ExpectAsync(PacketType.Publish);
            seen.Add(got.Text);
            await steady.SendAsync(WirePacket.Puback(got.Id));
        }
    }
}
