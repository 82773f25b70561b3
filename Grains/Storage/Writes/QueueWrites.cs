namespace Broker.Grains.Storage.Writes;

/// <summary>Saves that PUBREC came, so that a restart goes on with PUBREL and not with PUBLISH. [MQTT-4.3.3-6]</summary>
internal sealed class MarkReleased(SessionLease lease, long sequence) : SessionWrite(lease)
{
    /// <summary>Its place in the queue.</summary>
    public long Sequence { get; } = sequence;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}

/// <summary>Takes an entry out of the queue, and its shared body if no other entry has it.</summary>
/// <param name="lease">The right to write the session.</param>
/// <param name="sequence">The entry's place; nothing happens if it is empty.</param>
/// <param name="shared">The entry's shared body, as it was appended or loaded; a body that is not named stays until the next start.</param>
internal sealed class RemoveFromQueue(SessionLease lease, long sequence, SharedBody? shared = null) : SessionWrite(lease)
{
    /// <summary>Its place in the queue.</summary>
    public long Sequence { get; } = sequence;

    /// <summary>The entry's shared body; null if it has its own.</summary>
    public SharedBody? Shared { get; } = shared;

    /// <summary>True once the append it would undo was cancelled in the same batch. Writer thread.</summary>
    internal bool IsMoot { get; set; }

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
