using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>Where parts of the broker say what hooks want to know. Thread-safe; does nothing while no hook asks.</summary>
public interface IBrokerEvents
{
    /// <summary>A message has been routed to nobody.</summary>
    void MessageDropped(ApplicationMessage message, string reason);

    /// <summary>One subscriber does not get a message.</summary>
    void DeliveryDropped(string clientId, ApplicationMessage message, string reason);

    /// <summary>A session whose client is not connected has ended.</summary>
    /// <param name="isDiscarded">Its client has begun another one; otherwise it has expired.</param>
    void SessionEnded(string clientId, bool isDiscarded);
}

/// <summary>A process without hooks.</summary>
public sealed class NoBrokerEvents : IBrokerEvents
{
    public void MessageDropped(ApplicationMessage message, string reason)
    {
        // Nobody asks.
    }

    public void DeliveryDropped(string clientId, ApplicationMessage message, string reason)
    {
        // Nobody asks.
    }

    public void SessionEnded(string clientId, bool isDiscarded)
    {
        // Nobody asks.
    }
}
