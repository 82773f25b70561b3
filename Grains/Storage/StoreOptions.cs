using System.ComponentModel.DataAnnotations;

namespace Broker.Grains.Storage;

/// <summary>Bounds of the store, whatever its database.</summary>
internal sealed class StoreOptions
{
    /// <summary>Writes submitted and not yet reported, above which new data is refused. Default 200,000: some seconds of work.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPendingWrites { get; set; } = 200_000;

    /// <summary>Bytes of message bodies submitted and not yet reported, above which new data is refused. Default 256 MB.</summary>
    [Range(1, long.MaxValue)]
    public long MaxPendingBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>Writes in one transaction. Default 10,000: about 50 ms, which bounds what the first of them waits.</summary>
    [Range(1, int.MaxValue)]
    public int MaxBatchWrites { get; set; } = 10_000;

    /// <summary>Bytes of message bodies in one transaction; one larger write goes alone. Default 8 MB.</summary>
    [Range(1, long.MaxValue)]
    public long MaxBatchBytes { get; set; } = 8L * 1024 * 1024;

    /// <summary>Wait before the first probe of a failing database; doubled for each further one. Default 1 s.</summary>
    public TimeSpan FirstProbeDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between two probes. Default 15 s.</summary>
    public TimeSpan MaxProbeDelay { get; set; } = TimeSpan.FromSeconds(15);
}
