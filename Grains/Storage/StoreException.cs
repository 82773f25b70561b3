namespace Broker.Grains.Storage;

/// <summary>Why a write was not stored. One instance may be handed to many writes.</summary>
internal class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Too much is waiting to be written; nothing is wrong with the write. Answer 0x97 or leave the PUBACK out.</summary>
internal sealed class StoreFullException() : StoreException("The store has too many writes pending.");

/// <summary>The database cannot be written to just now: disk full, I/O error, locked, read-only, damaged, or closed.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : StoreException(message, inner)
{
    /// <summary>True if the connection was lost inside COMMIT: whether the batch is stored will be known when it is handed over again.</summary>
    public bool IsInDoubt { get; init; }
}

/// <summary>This node was declared dead and its sessions are others' now: nothing of it is stored any more, and it cannot recover.</summary>
internal sealed class NodeFencedException(string node) : StoreException($"Node {node} was declared dead and fenced: it must not write any more.")
{
    /// <summary>The node.</summary>
    public string Node { get; } = node;
}

/// <summary>Another activation has opened the session since, or the sequence number is taken: the writer must stop, drop its connection and reload.</summary>
internal sealed class SessionFencedException(long sessionKey)
    : StoreException($"Session {sessionKey} is written by another activation.")
{
    /// <summary>The session that was lost.</summary>
    public long SessionKey { get; } = sessionKey;
}
