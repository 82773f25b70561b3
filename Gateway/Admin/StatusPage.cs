using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Broker.Gateway.Admin;

/// <summary>`/status`: tells load balancers whether the process wants clients, in EMQ X's words. It agrees with `/health/ready`.</summary>
internal sealed class StatusPage(ApiAccess access, NodeIdentity self, IEnumerable<IReadiness> checks)
{
    private readonly IReadiness[] checks = [.. checks];

    public void Map(IEndpointRouteBuilder routes) => routes.Map("/status", () => access.IsReady && Array.TrueForAll(checks, one => one.Fault is null)
        ? Results.Text($"Node {self.Name} is started\nemqx is running")
        : Results.Text($"Node {self.Name} is started\nemqx is not_running", statusCode: StatusCodes.Status503ServiceUnavailable));
}
