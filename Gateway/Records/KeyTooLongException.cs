namespace Broker.Gateway.Records;

/// <summary>A record's key is longer than all stores take: what is stored under it could not be restored from a backup.</summary>
internal sealed class KeyTooLongException() : ArgumentException($"A name is too long: what is kept under it has more than {RecordFeed.LongestKey:N0} bytes.");
