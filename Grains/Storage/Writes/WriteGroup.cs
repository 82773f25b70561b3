namespace Broker.Grains.Storage.Writes;

/// <summary>Writes that are stored all or none, such as the queue entries of a QoS 2 message and its publisher's receipt.</summary>
/// <remarks>If one is refused, all fail with its reason. Each member is reported, then the group. Groups do not nest.</remarks>
internal sealed class WriteGroup : StoreWrite
{
    public WriteGroup(params StoreWrite[] members)
    {
        if (Array.Exists(members, member => member is WriteGroup)) throw new ArgumentException("Groups do not nest.", nameof(members));
        Members = members;
    }

    /// <summary>The writes, in the order they are executed.</summary>
    public StoreWrite[] Members { get; }

    /// <inheritdoc/>
    public override bool CarriesData => IsData || Array.Exists(Members, member => member.CarriesData);

    /// <summary>Refused when data is refused, even if nothing in it is: for who waits for data that was submitted before.</summary>
    public bool IsData { get; init; }

    /// <inheritdoc/>
    public override int Count => Members.Length;

    /// <inheritdoc/>
    public override long SizeBytes
    {
        get
        {
            long sum = RowBytes;
            foreach (var member in Members) sum += member.SizeBytes;
            return sum;
        }
    }

    /// <inheritdoc/>
    internal override void Committed()
    {
        foreach (var member in Members) member.Committed();
        base.Committed();
    }

    /// <inheritdoc/>
    internal override void Failed(StoreException reason)
    {
        foreach (var member in Members) member.Failed(reason);
        base.Failed(reason);
    }
}
