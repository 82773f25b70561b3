using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace Broker.Silo.Health;

/// <summary>`/metrics`: everything that this process measures, as Prometheus reads it, in its own text format or OpenMetrics.</summary>
/// <param name="users">Lets in whom the HTTP API knows; null where there is none.</param>
internal sealed class MetricsEndpoint(
    IOptions<MetricsOptions> options, IMeterFactory meters, MeterProvider? provider = null, Func<HttpContext, ValueTask<bool>>? users = null)
{
    /// <summary>What shows the HTTP server itself.</summary>
    public static readonly string[] ServerMeters = ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    private const string Scheme = "Bearer ";
    private readonly byte[] token = Encoding.UTF8.GetBytes(options.Value.Token);

    /// <summary>Lets the server measure itself with the broker's meters.</summary>
    public void Share(IServiceCollection server) => server.AddSingleton(meters);

    /// <summary>Adds the endpoint.</summary>
    public void Map(WebApplication server)
    {
        if (provider is null || !options.Value.Enabled) return;
        server.MapPrometheusScrapingEndpoint("/metrics", provider, pipeline => pipeline.Use(AdmitAsync), optionsName: null).DisableHttpMetrics();
    }

    private async Task AdmitAsync(HttpContext call, RequestDelegate next)
    {
        if (options.Value.Open || HasToken(call.Request.Headers.Authorization.ToString()) || (users is not null && await users(call)))
        {
            await next(call);
            return;
        }

        call.Response.StatusCode = StatusCodes.Status401Unauthorized;
        call.Response.Headers.WWWAuthenticate = users is null ? "Bearer" : "Basic Realm=\"metrics\"";
    }

    private bool HasToken(string header) =>
        token.Length > 0 && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(header[Scheme.Length..]), token);
}
