namespace Broker.Grains.Interfaces.Cluster;

/// <summary>Does what is left to do for a process that died: publishes the wills of its transient sessions. Key: `n:` and the process's name.</summary>
[Alias("IUndertakerGrain")]
public interface IUndertakerGrain : IGrainWithStringKey
{
    /// <summary>Publishes what has not been published yet. May be called by many: it is done once.</summary>
    [Alias("Bury")]
    Task Bury();
}
