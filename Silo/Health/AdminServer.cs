using System.Net;
using System.Net.Sockets;
using Broker.Grains.Interfaces.Cluster;
using Broker.Grains.Interfaces.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Silo.Health;

/// <summary>The HTTP server of the admin port: `/health/live` and `/health/ready`, as orchestrators and load balancers ask for them, and what a gateway adds.</summary>
/// <remarks>It is up before the process has joined its cluster and until it has left: a process that is not ready says so.</remarks>
internal sealed class AdminServer(IOptions<AdminOptions> options, IEnumerable<IReadiness> checks, IEnumerable<Action<IEndpointRouteBuilder>> others, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private readonly IReadiness[] checks = [.. checks];
    private WebApplication? server;

    /// <summary>The port it listens on.</summary>
    public int Port { get; private set; }

    /// <exception cref="StartException">The port cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var (address, port) = (options.Value.Address, options.Value.Port);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (address == "*") kestrel.ListenAnyIP(port);
            else kestrel.Listen(IPAddress.TryParse(address, out var one) ? one : throw Unusable("it must be an IP address or *"), port);
        });
        server = builder.Build();
        server.UseRouting();
        server.MapGet("/health/live", () => Results.Text("live\n"));
        server.MapGet("/health/ready", Ready);
        foreach (var map in others) map(server);
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or SocketException) // in use; not this machine's, or not allowed
        {
            throw Unusable(fault.Message);
        }

        Port = new Uri(server.Urls.First()).Port;

        StartException Unusable(string reason) => new($"Admin:Address, Admin:Port = {address}:{port} cannot be used: {reason}", null);
    }

    public Task StopAsync(CancellationToken cancellationToken) => server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    /// <summary>200 and `ready`, or 503 and a line for each fault.</summary>
    private IResult Ready()
    {
        var faults = checks.Where(check => check.Fault is not null).Select(check => $"{check.Name}: {check.Fault}\n").ToArray();
        return faults.Length == 0 ? Results.Text("ready\n") : Results.Text(string.Concat(faults), statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
