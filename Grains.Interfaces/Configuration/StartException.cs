namespace Broker.Grains.Interfaces.Configuration;

/// <summary>Why the broker cannot start, in words for its operator, who needs no stack trace.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
