using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class RecordedPublishTests
{
    [Fact]
    [Clause("MQTT-4.6.0-5")]
    public void OrderIsKept_WhenTheStoreHasAnsweredBeforeItIsSaidWhatComesNext()
    {
        var fixture = new GatewayFixture();
        var (connection, _) = fixture.Connect(new RecordingSession());
        var (first, second) = (new RecordedPublish(connection), new RecordedPublish(connection));
        var order = new List<int>();

        first.Expect();
        first.Then(_ => order.Add(1));
        second.Expect();
        var store = new Thread(() =>
        {
            first.Answer(ReasonCode.Success);
            second.Answer(ReasonCode.Success);
        });
        store.Start();
        store.Join();
        second.Then(_ => order.Add(2));

        fixture.Manual.RunAll();
        Assert.Equal([1, 2], order);
    }
}
