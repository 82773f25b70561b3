using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Plugins;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Hooks;

/// <summary>What hooks want to see of the messages written to one client. On its event loop only; made when the first hook asks.</summary>
internal sealed class DeliveryHooks(BrokerHooks hooks, ClientInfo client)
{
    /// <summary>Under their identifiers. A message that is sent again is there again.</summary>
    private readonly Dictionary<ushort, ApplicationMessage> unacknowledged = [];
    private readonly ClientContext context = client.ToContext();

    /// <summary>`message.delivered`: what is to be written.</summary>
    public Delivery Delivering(in Delivery delivery)
    {
        var message = delivery.Message;
        if (!hooks.MessageDelivered.IsEmpty)
        {
            var changed = hooks.MessageDelivered.Run(context, message);
            if (!ReferenceEquals(changed, message)) message = message.With(payload: changed.Payload, properties: changed.Properties);
        }

        if (delivery.Qos != Qos.AtMostOnce && !hooks.MessageAcked.IsEmpty) unacknowledged[delivery.PacketIdentifier] = message;
        return delivery with { Message = message };
    }

    /// <summary>`message.acked`</summary>
    public void Acknowledged(ushort packetIdentifier)
    {
        if (unacknowledged.Remove(packetIdentifier, out var message) && !hooks.MessageAcked.IsEmpty) hooks.MessageAcked.Raise(new MessageAcked(context, message));
    }
}
