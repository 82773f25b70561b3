using System.Net;
using System.Net.Sockets;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Silo.Health;

/// <summary>The HTTP server of the admin port: `/health/live` and `/health/ready`, as orchestrators and load balancers ask for them, and what a gateway adds; of a gateway's
/// dashboard port as well.</summary>
/// <remarks>It is up before the process has joined its cluster and until it has left: a process that is not ready says so.</remarks>
internal sealed class AdminServer(IOptions<AdminOptions> options, IEnumerable<IReadiness> checks, IEnumerable<Action<IEndpointRouteBuilder>> others, AdminPorts ports, ILoggerFactory loggers, MetricsEndpoint? metrics = null) : IHostedService, IAsyncDisposable
{
    /// <summary>What connections to the dashboard's port have among their items.</summary>
    public const string DashboardItem = "dashboard";

    private readonly IReadiness[] checks = [.. checks];
    private readonly Action<IEndpointRouteBuilder>[] others = [.. others];
    private WebApplication? server;

    /// <summary>The port it listens on.</summary>
    public int Port { get; private set; }

    /// <summary>The dashboard's port; 0 where there is none.</summary>
    public int DashboardPort { get; private set; }

    /// <exception cref="StartException">The port cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var own = options.Value;
        var address = own.Address == "*" ? IPAddress.IPv6Any : IPAddress.TryParse(own.Address, out var one) ? one : throw Unusable("Port", own.Port, "it must be an IP address or *");
        var certificate = own.Certificate is { Length: > 0 } ? new AdminCertificate(own, loggers.CreateLogger<AdminCertificate>()) : null;
        var (management, dashboard) = (new AdminPort("management", own.Address, certificate is not null), new AdminPort("dashboard", own.Address, certificate is not null));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        metrics?.Share(builder.Services);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            HttpDefence.Limit(kestrel.Limits, own);
            kestrel.Listen(address, own.Port, listen => Secure(listen, management));
            if (others.Length > 0) kestrel.Listen(address, own.DashboardPort, listen => Secure(listen, dashboard).Use(MarkDashboard));
        });
        server = builder.Build();
        server.Use(HttpDefence.AddHeaders);
        server.Use(LiteralPath.KeepAsync);
        server.UseRouting();
        server.MapGet("/health/live", () => Results.Text("live\n"));
        server.MapGet("/health/ready", Ready);
        metrics?.Map(server);
        foreach (var map in others) map(server);
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException) // in use; not this machine's, or not allowed
        {
            // Kestrel binds in the order given: the first that cannot be had is named in the message.
            throw others.Length > 0 && fault.Message.Contains($":{own.DashboardPort}", StringComparison.Ordinal) ? Unusable("DashboardPort", own.DashboardPort, fault.Message) : Unusable("Port", own.Port, fault.Message);
        }

        var opened = server.Urls.Select(url => new Uri(url).Port).ToArray();
        (Port, DashboardPort) = (opened[0], opened.Length > 1 ? opened[1] : 0);
        (management.Port, dashboard.Port) = (Port, DashboardPort);
        ports.All = others.Length > 0 ? [management, dashboard] : [management];

        ListenOptions Secure(ListenOptions listen, AdminPort port)
        {
            listen.Use(HttpDefence.Bound(own.MaxConnections));
            listen.Use(next => connection => port.CountAsync(() => next(connection)));
            return certificate is null ? listen : listen.UseHttps(https => https.ServerCertificateSelector = (_, _) => certificate.Current);
        }

        StartException Unusable(string name, int port, string reason) => new($"Admin:Address, Admin:{name} = {own.Address}:{port} cannot be used: {reason}", null);
    }

    public Task StopAsync(CancellationToken cancellationToken) => server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    private static ConnectionDelegate MarkDashboard(ConnectionDelegate next) => connection =>
    {
        connection.Items[DashboardItem] = true;
        return next(connection);
    };

    /// <summary>200 and `ready`, or 503 and a line for each fault.</summary>
    private IResult Ready()
    {
        var faults = checks.Where(check => check.Fault is not null).Select(check => $"{check.Name}: {check.Fault}\n").ToArray();
        return faults.Length == 0 ? Results.Text("ready\n") : Results.Text(string.Concat(faults), statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
