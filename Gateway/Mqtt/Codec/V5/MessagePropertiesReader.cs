using System.Buffers;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>The properties that an application message and a will message have in common. [MQTT-3.3.2.3], [MQTT-3.1.3.2]</summary>
internal struct MessagePropertiesReader
{
    private static readonly MessageProperties TextOnly = new() { IsText = true };
    private static readonly SearchValues<char> Wildcards = SearchValues.Create("+#");

    private bool isText;
    private string? contentType;
    private string? responseTopic;
    private byte[]? correlationData;

    /// <summary>Lifetime in seconds; null is for ever.</summary>
    public uint? MessageExpiryInterval { get; private set; }

    /// <summary>Reads the value of one property.</summary>
    /// <param name="id">What <see cref="PropertyReader.TryReadNext"/> yielded; one of the five of a message.</param>
    public void ReadOne(PropertyId id, ref PropertyReader reader)
    {
        switch (id)
        {
            case PropertyId.PayloadFormatIndicator:
                isText = reader.ReadBoolean();
                break;
            case PropertyId.MessageExpiryInterval:
                MessageExpiryInterval = reader.ReadUInt32();
                break;
            case PropertyId.ContentType:
                contentType = reader.ReadString(); // [MQTT-3.3.2-19]
                break;
            case PropertyId.ResponseTopic:
                responseTopic = ReadResponseTopic(ref reader);
                break;
            case PropertyId.CorrelationData:
                correlationData = reader.ReadBinary();
                break;
        }
    }

    /// <summary>What was read, as a message carries it on.</summary>
    /// <param name="user">The user properties.</param>
    /// <returns>Null when there is nothing to carry.</returns>
    public readonly MessageProperties? Build(UserProperty[] user)
    {
        if (contentType is null && responseTopic is null && correlationData is null && user.Length == 0) return isText ? TextOnly : null;

        return new MessageProperties
        {
            IsText = isText,
            ContentType = contentType,
            ResponseTopic = responseTopic,
            CorrelationData = correlationData,
            User = user,
        };
    }

    private static string ReadResponseTopic(ref PropertyReader reader)
    {
        var topic = reader.ReadString(); // [MQTT-3.3.2-13]
        if (topic.Length == 0) throw MalformedPacketException.ProtocolError("empty response topic"); // [MQTT-4.7.3-1]
        if (topic.AsSpan().ContainsAny(Wildcards)) throw MalformedPacketException.ProtocolError("response topic with a wildcard"); // [MQTT-3.3.2-14]
        return topic;
    }
}
