using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt;

/// <summary>Takes a client's PUBACK, PUBREC, PUBREL and PUBCOMP. On the connection's event loop only.</summary>
internal sealed class AcknowledgementReceiver(Connection connection, PublishReceiver publishes)
{
    public void Receive(PacketType type, ushort packetIdentifier, ReasonCode code)
    {
        var session = connection.Session!;
        switch (type)
        {
            case PacketType.Puback:
                BrokerCounters.Add(Metric.PacketsPubackReceived);
                if (session.Acknowledge(packetIdentifier)) connection.Sender.NoteAcknowledged(packetIdentifier);
                else CountUnexpected(session, packetIdentifier, Metric.PacketsPubackInuse, Metric.PacketsPubackMissed);
                break;
            case PacketType.Pubrec:
                BrokerCounters.Add(Metric.PacketsPubrecReceived);
                if (session.Receive(packetIdentifier, code))
                {
                    connection.Sender.NoteAcknowledged(packetIdentifier);
                    break;
                }

                CountUnexpected(session, packetIdentifier, Metric.PacketsPubrecInuse, Metric.PacketsPubrecMissed);
                // Answered all the same, so that the client can let go of it.
                if (code < ReasonCode.UnspecifiedError)
                {
                    connection.Sender.Acknowledge(PacketType.Pubrel, packetIdentifier, ReasonCode.PacketIdentifierNotFound);
                }

                break;
            case PacketType.Pubrel:
                BrokerCounters.Add(Metric.PacketsPubrelReceived);
                publishes.Release(packetIdentifier);
                break;
            default:
                BrokerCounters.Add(Metric.PacketsPubcompReceived);
                if (session.Complete(packetIdentifier)) connection.Sender.NoteCompleted(packetIdentifier);
                else CountUnexpected(session, packetIdentifier, Metric.PacketsPubcompInuse, Metric.PacketsPubcompMissed);
                break;
        }

        connection.Retained?.Pump();
    }

    /// <summary>What is in flight under the identifier awaits another kind of acknowledgement, or there is nothing.</summary>
    private static void CountUnexpected(ISession session, ushort packetIdentifier, Metric inuse, Metric missed) =>
        BrokerCounters.Add(session.IsInUse(packetIdentifier) ? inuse : missed);
}
