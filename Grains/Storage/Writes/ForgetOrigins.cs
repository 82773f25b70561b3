namespace Broker.Grains.Storage.Writes;

/// <summary>Takes out the origin marks nothing was added to since a time: their sources repeat nothing any more.</summary>
/// <param name="beforeMs">That time, in Unix milliseconds.</param>
internal sealed class ForgetOrigins(long beforeMs) : StoreWrite
{
    /// <summary>That time.</summary>
    public long BeforeMs { get; } = beforeMs;

    /// <inheritdoc/>
    public override bool CarriesData => false;
}
