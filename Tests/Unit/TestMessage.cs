using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Tests.Unit;

/// <summary>Application messages for tests.</summary>
internal static class TestMessage
{
    public static ApplicationMessage On(
        string topic, string payload = "payload", Qos qos = Qos.AtLeastOnce, long expiresAt = 0, string publisher = "publisher") => new()
        {
            Topic = TopicName.Parse(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            Qos = qos,
            PublisherId = publisher,
            ExpiresAt = expiresAt,
        };

    public static string Text(ApplicationMessage message) => Encoding.UTF8.GetString(message.Payload);
}
