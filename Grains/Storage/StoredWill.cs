using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage;

/// <summary>The will of a transient session's connection.</summary>
/// <param name="ClientId">Whose it is.</param>
/// <param name="ConnectionNumber">Which of the client's connections; unique with the client identifier.</param>
/// <param name="Message">The will message.</param>
/// <param name="DelaySeconds">Will delay interval in seconds.</param>
/// <param name="ExpirySeconds">Message expiry interval in seconds, counted from its publication; null is for ever.</param>
internal sealed record StoredWill(string ClientId, long ConnectionNumber, ApplicationMessage Message, uint DelaySeconds, uint? ExpirySeconds);
