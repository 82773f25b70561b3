namespace Broker.Grains.Cluster;

/// <summary>The grain directory of those grains of which two activations, however briefly, would lose messages or their order.</summary>
/// <remarks>Orleans' default directory allows that while membership changes, also when a process leaves in order. Sessions are fenced in the store besides, but what
/// the older activation had taken is refused then, and comes again behind newer messages. The distributed directory does not; a session is opened as fast with it.</remarks>
internal static class ClusterDirectory
{
    public const string Name = "cluster";
}
