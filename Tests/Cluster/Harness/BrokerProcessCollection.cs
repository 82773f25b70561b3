using Xunit;

namespace Broker.Tests.Cluster.Harness;

/// <summary>Tests of several broker processes, and those that measure time, run one after the other, and after those that may run beside each other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BrokerProcessCollection
{
    public const string Name = "broker processes";
}
