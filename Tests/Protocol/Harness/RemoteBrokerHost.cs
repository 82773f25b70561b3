namespace Broker.Tests.Protocol.Harness;

/// <summary>A broker whose gateway reaches all durable sessions by links, as it does those of other processes.</summary>
public sealed class RemoteBrokerHost : BrokerHost
{
    public RemoteBrokerHost()
    {
    }

    internal RemoteBrokerHost(Dictionary<string, string?> settings, Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>? configure)
        : base(settings, configure)
    {
    }

    public override bool IsRemote => true;
}
