namespace Broker.Grains.Cluster;

/// <summary>The grain directory of those grains of which two activations, however briefly, would lose messages.</summary>
/// <remarks>Orleans' default directory allows that while membership changes; the distributed one does not, and costs more for each new activation:
/// right for a few hundred grains that stay, not for sessions, which are fenced in the store anyway.</remarks>
internal static class ClusterDirectory
{
    public const string Name = "cluster";
}
