using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt;

/// <summary>A client's QoS 1 and 2 messages that are not complete, held against the receive maximum it was told. [MQTT-3.3.4-7]</summary>
/// <remarks>Counted as a 5.0 client counts them: on this connection, from PUBLISH to the answer that completes it. A 3.x client is told nothing
/// and not counted. On the connection's event loop only.</remarks>
internal sealed class ReceiveWindow(Connection connection, int receiveMaximum)
{
    private int incomplete;

    /// <summary>A PUBLISH has come. False if it is one too many.</summary>
    public bool TryBegin()
    {
        if (!connection.IsV5) return true;
        if (incomplete >= receiveMaximum) return false;
        incomplete++;
        return true;
    }

    /// <summary>The PUBLISH was a repetition of one that is counted already.</summary>
    public void BeginsNothing() => Complete();

    /// <summary>Sends a PUBACK, PUBREC or PUBCOMP; PUBREC completes a message only if it refuses it.</summary>
    public void Answer(PacketType type, ushort packetIdentifier, ReasonCode code)
    {
        if (type != PacketType.Pubrec || code >= ReasonCode.UnspecifiedError) Complete();
        connection.Sender.Acknowledge(type, packetIdentifier, code);
    }

    /// <remarks>PUBCOMP also ends messages of an earlier connection, which are not counted here.</remarks>
    private void Complete() => incomplete = Math.Max(0, incomplete - 1);
}
