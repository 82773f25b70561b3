using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class LoopDeliveryTests
{
    private const int Slice = 2048;
    private readonly GatewayFixture gateway = new();

    [Fact]
    public void EverySubscriberGetsACopy_WhenOneFilterMatches()
    {
        var (one, two) = (gateway.Open("1").Subscribe("a/+"), gateway.Open("2").Subscribe("a/+", Qos.AtLeastOnce));
        Assert.True(gateway.Publish(TestMessage.On("a/b", "x")));
        Assert.Equal(["a/b:x q0"], one.Packets());
        Assert.Equal(["a/b:x q1 #1"], two.Packets());
    }

    [Fact]
    [Clause("MQTT-3.3.4-2"), Clause("MQTT-3.3.4-3")]
    public void OneCopyHasHighestQosAndAllIdentifiers_WhenSeveralFiltersMatch()
    {
        var client = gateway.Open("1");
        client.Sender.Speak(Broker.Gateway.Mqtt.Codec.MqttCodec.For(Broker.Gateway.Mqtt.Packets.ProtocolVersion.V5));
        client.Peer.SpeaksV5();
        client.Subscribe("a/b", Qos.AtMostOnce, 1).Subscribe("a/+", Qos.ExactlyOnce, 2).Subscribe("#", Qos.AtLeastOnce).Subscribe("a/#", Qos.AtLeastOnce, 3);
        var other = gateway.Open("2").Subscribe("#");
        gateway.Publish(TestMessage.On("a/b", "x", Qos.ExactlyOnce));
        gateway.Publish(TestMessage.On("a/b", "y", Qos.AtMostOnce));
        Assert.Equal(["a/b:x q2 #1 0B010B020B03", "a/b:y q0 0B010B020B03"], client.Packets());
        Assert.Equal(["a/b:x q0", "a/b:y q0"], other.Packets());
    }

    [Fact]
    public void SharedCopyIsSeparate_WhenAnOrdinaryFilterMatchesToo()
    {
        var client = gateway.Open("1").Subscribe("a").Subscribe("$share/g/a", Qos.AtLeastOnce).Subscribe("$share/h/+");
        gateway.Publish(TestMessage.On("a", "x"));
        Assert.Equal(["a:x q0", "a:x q0", "a:x q1 #1"], client.Packets().Order());
    }

    [Fact]
    public void SharedCopiesStaySeparate_WhenTheirRoutesComeTogether()
    {
        var client = gateway.Open("1").Subscribe("a").Subscribe("$share/g/a", Qos.AtLeastOnce).Subscribe("$share/h/+");
        var routes = Enumerable.Range(0, 3).Select(slot => RouteId.Of(0, 0, slot)).ToArray();
        gateway.Loop.Delivery.Deliver(TestMessage.On("a", "x"), routes);
        Assert.Equal(["a:x q0", "a:x q0", "a:x q1 #1"], client.Packets().Order());
    }

    [Fact]
    public void NothingIsDelivered_WhenTheRouteHasGone()
    {
        var client = gateway.Open("1").Subscribe("a");
        client.Unsubscribe("a");
        client.Subscribe("b");
        gateway.Loop.Delivery.Deliver(TestMessage.On("a"), [RouteId.Of(0, 0, 0)]);
        gateway.Loop.Delivery.Deliver(TestMessage.On("a"), [RouteId.Of(0, 0, 0), RouteId.Of(0, 5, 0)]);
        gateway.Loop.Delivery.Deliver(TestMessage.On("a"), []);
        Assert.Empty(client.Packets());
    }

    [Fact]
    public void LettersAreDelivered_WhenTheyComeFromAnotherThreadOrLoop()
    {
        var two = new GatewayFixture(loops: 2);
        var (here, there) = (two.Open("1").Subscribe("a"), two.Open("2", loop: 1).Subscribe("a"));
        two.Publish(TestMessage.On("a", "x"));
        Assert.Equal(["a:x q0"], here.Packets());
        Assert.Equal(["a:x q0"], there.Packets());
        two.Loops.Deliver(null, TestMessage.On("a", "y"), [RouteId.Of(0, 0, 0), RouteId.Of(1, 0, 0), RouteId.Of(9, 0, 0)]);
        Assert.Equal(["a:y q0"], here.Packets());
        Assert.Equal(["a:y q0"], there.Packets());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OtherTopicsPassAndItsOwnKeepOrder_WhenAFanOutIsCut(bool merged)
    {
        var clients = Many(2 * Slice + 1, merged ? ["big", "big/#"] : ["big"]);
        var other = gateway.Open("other").Subscribe("small");
        gateway.Publish(TestMessage.On("big", "1"));
        Assert.Equal(0, Reached(clients));
        gateway.Publish(TestMessage.On("big", "2"));
        gateway.Publish(TestMessage.On("small", "x"));
        Assert.Equal(1, gateway.Manual.Waiting - 1); // the slices and one flush: the small topic is done
        gateway.Manual.RunOne();
        Assert.Equal(Slice, Reached(clients));
        Assert.Equal(["small:x q0"], other.Packets()); // runs all that is left too
        foreach (var client in clients) Assert.Equal(["big:1 q0", "big:2 q0"], client.Packets());
        gateway.Publish(TestMessage.On("big", "3"));
        Assert.Equal(["big:3 q0"], clients[^1].Packets());
    }

    [Fact]
    public void TopicsTakeTurns_WhenSeveralFanOutsAreCut()
    {
        var left = Many(Slice + 1, ["left"]);
        var right = Many(Slice + 1, ["right"]);
        gateway.Publish(TestMessage.On("left", "1"));
        gateway.Publish(TestMessage.On("right", "1"));
        gateway.Publish(TestMessage.On("left", "2"));
        gateway.Manual.RunOne();
        Assert.Equal((Slice, 0), (Reached(left), Reached(right)));
        RunOneSlice();
        Assert.Equal((Slice, Slice), (Reached(left), Reached(right)));
        RunOneSlice();
        Assert.Equal((Slice + 1, Slice), (Reached(left), Reached(right)));
        foreach (var client in left) Assert.Equal(["left:1 q0", "left:2 q0"], client.Packets());
        foreach (var client in right) Assert.Equal(["right:1 q0"], client.Packets());
    }

    [Fact]
    public void FanOutGoesOn_WhenSessionsUnsubscribeOrCloseBetweenSlices()
    {
        var clients = Many(2 * Slice + 10, ["big"]);
        gateway.Publish(TestMessage.On("big", "1"));
        gateway.Publish(TestMessage.On("big", "2")); // waits, but for all who are subscribed now
        gateway.Manual.RunOne();
        clients[^1].Close();
        clients[^2].Unsubscribe("big");
        clients[0].Close();
        var late = gateway.Open("late").Subscribe("big");
        gateway.Publish(TestMessage.On("big", "3"));
        Assert.Empty(clients[^1].Packets());
        Assert.Equal(["big:1 q0", "big:2 q0"], clients[^2].Packets());
        Assert.Equal(["big:1 q0"], clients[0].Packets());
        Assert.Equal(["big:1 q0", "big:2 q0", "big:3 q0"], clients[1].Packets());
        Assert.Equal(["big:1 q0", "big:2 q0", "big:3 q0"], clients[^3].Packets());
        Assert.Equal(["big:3 q0"], late.Packets());
    }

    private Client[] Many(int count, string[] filters)
    {
        var limits = new SessionLimits();
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var client = gateway.Open($"c{i}", limits);
            foreach (var filter in filters) client.Subscribe(filter);
            return client;
        })];
    }

    /// <summary>How many have got something into their buffer.</summary>
    private static int Reached(Client[] clients) => clients.Count(client => client.Peer.Allocator.HandedOut > 0);

    /// <summary>Runs tasks up to the next slice: a flush of what the last one wrote comes before it.</summary>
    private void RunOneSlice()
    {
        gateway.Manual.RunOne();
        gateway.Manual.RunOne();
    }
}
