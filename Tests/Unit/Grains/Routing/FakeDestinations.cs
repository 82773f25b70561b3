using System.Net;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Routing;
using Broker.Grains.Storage;

namespace Broker.Tests.Unit.Grains.Routing;

/// <summary>Makes destinations that write down what they get; the gateway of this process is number 0.</summary>
internal sealed class FakeDestinations : IDestinationFactory
{
    public static readonly RouteDestination Own = Gateway(0);

    /// <summary>All that was delivered, as `destination: text → routes`, in order.</summary>
    public List<string> Delivered { get; } = [];

    /// <summary>Names of the destinations made, in order.</summary>
    public List<string> Made { get; } = [];

    public static RouteDestination Gateway(int number) => RouteDestination.OfGateway(SiloAddress.New(IPAddress.Loopback, 1000 + number, 1));

    public static RouteDestination Session(string clientId) => RouteDestination.OfSession(clientId);

    public IDestination? Create(RouteDestination destination)
    {
        if (destination == Own) return null;
        var name = destination.ClientId ?? $"gateway {destination.Gateway!.Endpoint.Port - 1000}";
        Made.Add(name);
        return new Fake(this, name);
    }

    public void DeliverHere(ApplicationMessage message, ulong[] routes) => Delivered.Add($"own: {TestMessage.Text(message)} → {string.Join(' ', routes)}");

    public sealed class Fake(FakeDestinations all, string name) : IDestination
    {
        public Task WhenIdleAsync() => Task.CompletedTask;

        public string Name => name;

        public bool NeedsReceipt => true;

        public void Deliver(ApplicationMessage message, ulong[] routes, SharedBody? body, PublishReceipt? receipt, SharedGroup? group) =>
            all.Delivered.Add($"{name}: {TestMessage.Text(message)} → {string.Join(' ', routes)}");
    }
}
