namespace Broker.Grains.Storage;

/// <summary>The right to write a session, good until somebody opens it again.</summary>
/// <param name="Key">The session's key in the store; never reused.</param>
/// <param name="Epoch">Raised by every opening; a write with any other epoch than the stored one is refused.</param>
internal readonly record struct SessionLease(long Key, long Epoch);
