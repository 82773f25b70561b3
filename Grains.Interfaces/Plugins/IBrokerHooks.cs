using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>The hooks as grains reach them: those of the gateway in the same process. Thread-safe; costs nothing while no callback is there.</summary>
public interface IBrokerHooks
{
    /// <summary>A message without a connected publisher, such as a will, is about to be routed.</summary>
    /// <returns>What is to be routed; null if nothing.</returns>
    ValueTask<ApplicationMessage?> PublishingAsync(ApplicationMessage message);

    /// <summary>A message has been routed to nobody.</summary>
    void MessageDropped(ApplicationMessage message, string reason);

    /// <summary>One subscriber does not get a message.</summary>
    void DeliveryDropped(string clientId, ApplicationMessage message, string reason);

    /// <summary>A session has ended.</summary>
    /// <param name="isDiscarded">Its client has begun another one; otherwise it has ended with its connection, or expired.</param>
    void SessionEnded(string clientId, bool isDiscarded);
}

/// <summary>A process without hooks.</summary>
public sealed class NoBrokerHooks : IBrokerHooks
{
    public static readonly NoBrokerHooks Instance = new();

    public ValueTask<ApplicationMessage?> PublishingAsync(ApplicationMessage message) => new(message);

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
