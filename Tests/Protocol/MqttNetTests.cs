using System.Collections.Concurrent;
using System.Text;
using Broker.Tests.Protocol.Harness;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>End to end with a client that others use.</summary>
public sealed class MqttNetTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    private const int Messages = 1000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(MqttProtocolVersion.V311, 0)]
    [InlineData(MqttProtocolVersion.V311, 1)]
    [InlineData(MqttProtocolVersion.V311, 2)]
    [InlineData(MqttProtocolVersion.V500, 0)]
    [InlineData(MqttProtocolVersion.V500, 1)]
    [InlineData(MqttProtocolVersion.V500, 2)]
    public async Task DeliversAllInOrder_WhenAThousandArePublished(MqttProtocolVersion version, int qos)
    {
        var topic = $"thousand/{version}/{qos}";
        using var subscriber = new Receiver(Messages);
        await subscriber.ConnectAsync(broker, topic + "s", version, clean: true);
        await subscriber.Client.SubscribeAsync(topic, (MqttQualityOfServiceLevel)qos);
        using var publisher = new Receiver(0);
        await publisher.ConnectAsync(broker, topic + "p", version, clean: true);
        for (var i = 0; i < Messages; i += 50)
        {
            await Task.WhenAll(Enumerable.Range(i, 50).Select(number => publisher.PublishAsync(topic, number, qos)));
        }

        await subscriber.Complete.WaitAsync(Deadline);
        Assert.Equal(Enumerable.Range(0, Messages), subscriber.Numbers);
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task DeliversAll_WhenTheSubscriberReconnectsAllTheTime(MqttProtocolVersion version)
    {
        var topic = $"reconnect/{version}";
        using var subscriber = new Receiver(300);
        await subscriber.ConnectAsync(broker, topic + "s", version, clean: false);
        await subscriber.Client.SubscribeAsync(topic, MqttQualityOfServiceLevel.ExactlyOnce);
        using var publisher = new Receiver(0);
        await publisher.ConnectAsync(broker, topic + "p", version, clean: true);
        for (var round = 0; round < 6; round++)
        {
            for (var i = 0; i < 25; i++) await publisher.PublishAsync(topic, round * 50 + i, 2);
            await subscriber.Client.DisconnectAsync();
            for (var i = 25; i < 50; i++) await publisher.PublishAsync(topic, round * 50 + i, 2);
            await subscriber.ConnectAsync(broker, topic + "s", version, clean: false);
        }

        await subscriber.Complete.WaitAsync(Deadline);
        Assert.Equal(Enumerable.Range(0, 300), subscriber.Numbers.Distinct().Order());
    }

    [Theory]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public async Task DeliversLargePayloads_WhenWithinThePacketSize(MqttProtocolVersion version)
    {
        var topic = $"large/{version}";
        using var client = new Receiver(3);
        await client.ConnectAsync(broker, topic, version, clean: true);
        await client.Client.SubscribeAsync(topic, MqttQualityOfServiceLevel.AtLeastOnce);
        for (var i = 0; i < 3; i++)
        {
            await client.Client.PublishStringAsync(topic, $"{i}".PadRight(1_000_000), MqttQualityOfServiceLevel.AtLeastOnce);
        }

        await client.Complete.WaitAsync(Deadline);
        Assert.Equal([0, 1, 2], client.Numbers);
    }

    /// <summary>A client that notes the numbers it gets.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly HashSet<int> seen = [];

        public Receiver(int expected)
        {
            Client.ApplicationMessageReceivedAsync += message =>
            {
                var number = int.Parse(Encoding.UTF8.GetString(message.ApplicationMessage.Payload).AsSpan().Trim(), null);
                Numbers.Enqueue(number);
                lock (seen)
                {
                    seen.Add(number);
                    if (seen.Count == expected) complete.TrySetResult();
                }

                return Task.CompletedTask;
            };
        }

        public IMqttClient Client { get; } = new MqttClientFactory().CreateMqttClient();

        public ConcurrentQueue<int> Numbers { get; } = new();

        public Task Complete => complete.Task;

        public async Task ConnectAsync(BrokerHost broker, string clientId, MqttProtocolVersion version, bool clean)
        {
            var options = new MqttClientOptionsBuilder().WithTcpServer(broker.Address.Address.ToString(), broker.Address.Port).WithClientId(clientId)
                .WithProtocolVersion(version).WithCleanSession(clean);
            if (version == MqttProtocolVersion.V500 && !clean) options = options.WithSessionExpiryInterval(1000);
            await Client.ConnectAsync(options.Build());
        }

        public Task PublishAsync(string topic, int number, int qos) =>
            Client.PublishStringAsync(topic, $"{number}", (MqttQualityOfServiceLevel)qos);

        public void Dispose() => Client.Dispose();
    }
}
