using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Tests that start broker processes run one after the other: they measure time and kill under load.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BrokerProcessCollection
{
    public const string Name = "broker processes";
}
