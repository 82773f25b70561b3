using Broker.Gateway.Admin;
using Broker.Gateway.Admin.Resources;
using Broker.Gateway.Hosting;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Tracing;

/// <summary>Composes traces.</summary>
internal static class TraceComposition
{
    /// <summary>Adds them: behind the feed of records, as they are known when they start.</summary>
    public static void AddTracing(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<TraceOptions>(TraceOptions.Section);
        var services = builder.Services;
        services.PostConfigure<TraceOptions>(options => options.Directory ??= Path.Combine(builder.Configuration["Storage:DataDirectory"] ?? "data", "trace"));
        services.AddTable<TraceTable>();
        services.AddSingleton<Traces>().AddHostedService(provider => provider.GetRequiredService<Traces>());
        services.AddSingleton<INodeResource, LocalTraces>();
        services.AddSingleton<TraceDownload>();
        services.AddSingleton<IApiResource, TraceResource>();
    }
}
