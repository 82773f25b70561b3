using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>The properties of a will. [MQTT-3.1.3.2]</summary>
/// <param name="Message">What the will message carries on; null when there is nothing.</param>
/// <param name="DelaySeconds">Will delay interval in seconds; 0 when absent.</param>
/// <param name="MessageExpiryInterval">Lifetime in seconds; null is for ever.</param>
internal readonly record struct WillProperties(MessageProperties? Message, uint DelaySeconds, uint? MessageExpiryInterval)
{
    /// <summary>Reads them, property length included.</summary>
    public static WillProperties Read(ref PacketReader packet)
    {
        var message = default(MessagePropertiesReader);
        var delaySeconds = 0u;
        var reader = new PropertyReader(ref packet, PropertySet.Will);
        while (reader.TryReadNext(out var id))
        {
            if (id == PropertyId.WillDelayInterval) delaySeconds = reader.ReadUInt32();
            else message.ReadOne(id, ref reader);
        }

        return new WillProperties(message.Build(reader.UserProperties), delaySeconds, message.MessageExpiryInterval);
    }
}
