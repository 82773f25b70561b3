using System.Diagnostics.Metrics;
using System.Reflection;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;
using Broker.Silo.Health;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Broker.Silo.Telemetry;

/// <summary>Composes what shows the process to operators' systems: `/metrics`, and what is sent to an OpenTelemetry collector.</summary>
internal static class TelemetryComposition
{
    private static readonly string Version = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3);

    /// <summary>Room for the tags of one instrument is taken at the start: for the usual 2,000 combinations all of them took 80 MB. The broker's own have a few.</summary>
    private const int FewSeries = 16;
    private const int MostSeries = 256;

    /// <summary>It has a histogram for each call of the HTTP API, of which there are hundreds: a few buckets each.</summary>
    private const string RequestDuration = "http.server.request.duration";

    /// <summary>The meters that are shown.</summary>
    private static readonly string[] Meters =
    [
        BrokerMeter.MeterName, "Broker.Storage", "Broker.Security", "Microsoft.Orleans", "System.Runtime", .. MetricsEndpoint.ServerMeters,
    ];

    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        BrokerSilo.AddOptions<MetricsOptions>(builder, MetricsOptions.Section);
        BrokerSilo.AddOptions<TelemetryOptions>(builder, TelemetryOptions.Section);
        var services = builder.Services;
        services.AddMetrics();
        services.AddHostedService<BrokerMeter>().AddHostedService<NodeMeter>();
        services.AddSingleton<LatencyInstruments>();
        services.AddSingleton<MetricsEndpoint>();
        // What is wrong with them is said when the options are checked.
        var shown = builder.Configuration.GetSection(MetricsOptions.Section).Get<MetricsOptions>() ?? new MetricsOptions();
        var sent = builder.Configuration.GetSection(TelemetryOptions.Section).Get<TelemetryOptions>() ?? new TelemetryOptions();
        if (!Uri.TryCreate(sent.OtlpEndpoint, UriKind.Absolute, out _)) sent.OtlpEndpoint = "";
        if (shown.Enabled || sent.SendsMetrics) AddMetrics(services, shown, sent);
        if (sent.SendsTraces) AddTraces(services, sent);
    }

    private static void AddMetrics(IServiceCollection services, MetricsOptions shown, TelemetryOptions sent) => services.AddOpenTelemetry().WithMetrics(metrics =>
    {
        metrics.AddMeter(Meters);
        if (metrics is IDeferredMeterProviderBuilder deferred) deferred.Configure(Restrict);
        if (shown.Enabled) metrics.AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false);
        if (sent.SendsMetrics)
        {
            metrics.AddOtlpExporter((otlp, reader) =>
            {
                Address(otlp, sent, "/v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)sent.MetricsInterval.TotalMilliseconds;
            });
        }
    });

    private static void AddTraces(IServiceCollection services, TelemetryOptions sent) => services.AddOpenTelemetry().WithTracing(traces =>
    {
        traces.AddSource(BrokerActivities.SourceName, "Microsoft.Orleans.Application", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Lifecycle");
        traces.SetSampler<BrokerSampler>();
        if (traces is IDeferredTracerProviderBuilder deferred) deferred.Configure((provider, own) => own.SetResourceBuilder(Describe(provider)));
        traces.AddOtlpExporter(otlp => Address(otlp, sent, "/v1/traces"));
    });

    /// <summary>Of several brokers in one process each shows its own.</summary>
    private static void Restrict(IServiceProvider provider, MeterProviderBuilder metrics)
    {
        var own = provider.GetRequiredService<IMeterFactory>();
        metrics.SetResourceBuilder(Describe(provider));
        metrics.AddView(instrument => instrument.Meter.Scope is IMeterFactory other && other != own ? MetricStreamConfiguration.Drop
            : instrument.Name == RequestDuration ? new ExplicitBucketHistogramConfiguration { Boundaries = [0.005, 0.025, 0.1, 0.5, 2], CardinalityLimit = MostSeries }
            : new MetricStreamConfiguration { CardinalityLimit = instrument.Meter.Name == BrokerMeter.MeterName ? FewSeries : MostSeries });
    }

    private static ResourceBuilder Describe(IServiceProvider provider) => ResourceBuilder.CreateDefault()
        .AddService("broker", serviceVersion: Version, autoGenerateServiceInstanceId: false, serviceInstanceId: provider.GetRequiredService<NodeIdentity>().Name);

    private static void Address(OtlpExporterOptions otlp, TelemetryOptions sent, string path)
    {
        var isGrpc = sent.Protocol == "grpc";
        otlp.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        otlp.Endpoint = new Uri(isGrpc ? sent.OtlpEndpoint : sent.OtlpEndpoint.TrimEnd('/') + path);
        if (sent.Headers.Length > 0) otlp.Headers = sent.Headers;
    }
}
