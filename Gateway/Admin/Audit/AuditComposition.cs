using Broker.Gateway.Admin.Resources;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Broker.Gateway.Admin.Audit;

/// <summary>Composes the audit log.</summary>
internal static class AuditComposition
{
    public static void AddAudit(this IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<AuditOptions>(AuditOptions.Section);
        builder.Services.AddSingleton<AuditLog>().AddSingleton<Auditor>().AddSingleton<INodeResource, LocalAudit>().AddSingleton<IApiResource, AuditResource>();
    }
}
