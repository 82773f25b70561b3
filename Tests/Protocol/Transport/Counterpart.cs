using System.Buffers;
using System.Collections.Concurrent;
using Broker.Tests.Protocol.Harness;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>Whom a client under test talks to, itself on plain TCP: it sends back on `root/down` what it gets on `root/up`, and has left a retained message there.</summary>
/// <remarks>The client sends <see cref="Count"/> messages of each QoS, a large one, a retained one with a user property, and a will.</remarks>
internal sealed class Counterpart : IAsyncDisposable
{
    public const int Count = 20;
    public const int Large = 1024 * 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentQueue<MqttApplicationMessage> seen = new();
    private readonly string root;

    private Counterpart(string root)
    {
        this.root = root;
        client.ApplicationMessageReceivedAsync += EchoAsync;
    }

    /// <summary>The payload with a number: every client computes it for itself.</summary>
    public static byte[] Content(int number, int length) => [.. Enumerable.Range(0, length).Select(at => (byte)(at * 7 + number + (at >> 8)))];

    public static async Task<Counterpart> StartAsync(BrokerHost broker, string root)
    {
        var counterpart = new Counterpart(root);
        await counterpart.client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Address.Port).WithClientId(root + "-counterpart").WithProtocolVersion(MqttProtocolVersion.V500).Build());
        await counterpart.client.SubscribeAsync(root + "/up/#", MqttQualityOfServiceLevel.ExactlyOnce);
        await counterpart.client.PublishAsync(new MqttApplicationMessageBuilder().WithTopic(root + "/down/kept").WithPayload(Content(1, 100)).WithRetainFlag()
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).WithUserProperty("from", "counterpart"u8.ToArray()).Build());
        return counterpart;
    }

    /// <summary>Exactly what the client had to send has come, each byte of it, and what it retained is kept.</summary>
    /// <param name="level">The client's protocol level.</param>
    public async Task VerifyAsync(int level)
    {
        for (var qos = 0; qos <= 2; qos++)
        {
            var got = Of($"{qos}");
            Assert.Equal(Count, got.Length);
            for (var n = 0; n < Count; n++) AssertMessage(got[n], n, n * 37, qos);
        }

        AssertMessage(Assert.Single(Of("large")), 2, Large, 1);
        AssertMessage(Assert.Single(Of("will")), 4, 50, 1);
        AssertMessage(Assert.Single(Of("kept")), 3, 100, 2);
        Assert.Equal(3 * Count + 3, seen.Count);

        // Subscribed to once more, with the retained message alone to come.
        await client.SubscribeAsync(root + "/up/kept", MqttQualityOfServiceLevel.ExactlyOnce);
        await Wait.UntilAsync(() => Of("kept").Length == 2, "the retained message");
        var kept = Of("kept")[1];
        AssertMessage(kept, 3, 100, 2, retained: true);
        if (level == 5) Assert.Equal(("client", "bytes"), (Assert.Single(kept.UserProperties, one => one.Name == "from").ReadValueAsString(), kept.ContentType));
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisconnectAsync().WaitAsync(Deadline);
        client.Dispose();
    }

    private static void AssertMessage(MqttApplicationMessage message, int number, int length, int qos, bool retained = false)
    {
        Assert.Equal((qos, retained, length), ((int)message.QualityOfServiceLevel, message.Retain, (int)message.Payload.Length));
        Assert.True(message.Payload.ToArray().AsSpan().SequenceEqual(Content(number, length)), $"{message.Topic}: another content than that of {number}");
    }

    private MqttApplicationMessage[] Of(string topic) => [.. seen.Where(message => message.Topic == $"{root}/up/{topic}")];

    private async Task EchoAsync(MqttApplicationMessageReceivedEventArgs received)
    {
        var message = received.ApplicationMessage;
        seen.Enqueue(message);
        if (message.Retain) return;
        await client.PublishAsync(new MqttApplicationMessage
        {
            Topic = root + "/down" + message.Topic[(root.Length + "/up".Length)..],
            Payload = message.Payload,
            QualityOfServiceLevel = message.QualityOfServiceLevel,
            ContentType = message.ContentType,
            UserProperties = [.. message.UserProperties ?? []],
        });
    }
}
