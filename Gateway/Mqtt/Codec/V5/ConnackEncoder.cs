using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Writes CONNACK of 5.0. [MQTT-3.2]</summary>
internal static class ConnackEncoder
{
    public static void WriteBody(ConnackPacket packet, ref PacketWriter writer)
    {
        var sessionPresent = packet.SessionPresent && packet.Code == ReasonCode.Success; // [MQTT-3.2.2-6]
        writer.WriteByte(sessionPresent ? (byte)1 : (byte)0);
        writer.WriteByte((byte)packet.Code);

        var length = PacketWriter.Counting;
        WriteProperties(packet, ref length);
        writer.WriteVariableByteInteger(length.Written);
        WriteProperties(packet, ref writer);
    }

    private static void WriteProperties(ConnackPacket packet, ref PacketWriter writer)
    {
        PropertyWriter.Write(ref writer, PropertyId.SessionExpiryInterval, packet.SessionExpiryInterval);
        PropertyWriter.Write(ref writer, PropertyId.ReceiveMaximum, packet.ReceiveMaximum);
        // QoS 2 is said by leaving the property out. [MQTT-3.2.2.3.4]
        PropertyWriter.Write(ref writer, PropertyId.MaximumQos, packet.MaximumQos is { } qos and not Qos.ExactlyOnce ? qos == Qos.AtLeastOnce : null);
        PropertyWriter.Write(ref writer, PropertyId.RetainAvailable, packet.RetainAvailable);
        PropertyWriter.Write(ref writer, PropertyId.MaximumPacketSize, packet.MaximumPacketSize);
        PropertyWriter.Write(ref writer, PropertyId.AssignedClientIdentifier, packet.AssignedClientIdentifier);
        PropertyWriter.Write(ref writer, PropertyId.TopicAliasMaximum, packet.TopicAliasMaximum);
        PropertyWriter.Write(ref writer, PropertyId.ReasonString, packet.ReasonString);
        PropertyWriter.Write(ref writer, PropertyId.WildcardSubscriptionAvailable, packet.WildcardSubscriptionAvailable);
        PropertyWriter.Write(ref writer, PropertyId.SubscriptionIdentifiersAvailable, packet.SubscriptionIdentifiersAvailable);
        PropertyWriter.Write(ref writer, PropertyId.SharedSubscriptionAvailable, packet.SharedSubscriptionAvailable);
        PropertyWriter.Write(ref writer, PropertyId.ServerKeepAlive, packet.ServerKeepAlive);
        PropertyWriter.Write(ref writer, PropertyId.ResponseInformation, packet.ResponseInformation);
        PropertyWriter.Write(ref writer, PropertyId.ServerReference, packet.ServerReference);
        PropertyWriter.Write(ref writer, PropertyId.AuthenticationMethod, packet.AuthenticationMethod);
        PropertyWriter.Write(ref writer, PropertyId.AuthenticationData, packet.AuthenticationData);
        PropertyWriter.Write(ref writer, packet.UserProperties);
    }
}
