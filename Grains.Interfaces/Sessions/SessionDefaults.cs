namespace Broker.Grains.Interfaces.Sessions;

/// <summary>What is configured for every session: it holds for a durable one that was read from the store, until its client connects.</summary>
/// <param name="Limits">The bounds, without what a client asks for.</param>
/// <param name="UpgradeQos">Deliver at the higher of the message's and the subscription's QoS.</param>
public sealed record SessionDefaults(SessionLimits Limits, bool UpgradeQos);
