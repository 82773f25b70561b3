using Broker.Grains.Interfaces.Records;

namespace Broker.Grains.Storage.Writes;

/// <summary>Stores records in the place of what their keys had before. Refused if one of their versions is taken: somebody else writes them too.</summary>
internal sealed class SaveRecords(IReadOnlyList<Record> records) : StoreWrite
{
    /// <summary>Each key at most once.</summary>
    public IReadOnlyList<Record> Records { get; } = records;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    public override long SizeBytes => Records.Sum(record => RowBytes + record.Key.Length + (record.Value?.Length ?? 0L));
}

/// <summary>Takes out the traces of records that were removed long ago.</summary>
/// <param name="upTo">The version of the last of them.</param>
internal sealed class ForgetRemovedRecords(long upTo) : StoreWrite
{
    public long UpTo { get; } = upTo;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
