using Broker.Gateway.Configuration;
using Broker.Gateway.History;
using Broker.Gateway.Hosting;
using Broker.Gateway.Records;
using Broker.Gateway.Security.BuiltIn;
using Broker.Gateway.Security.Scram;
using Broker.Gateway.Security.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>Composes who may connect and what they may do.</summary>
internal static class SecurityComposition
{
    /// <summary>Adds the chains and their sources. What must be known before anybody connects is known when the services added here have started.</summary>
    public static void AddSecurity(this IHostApplicationBuilder builder)
    {
        builder.AddLiveOptions<SecurityOptions>(SecurityOptions.Section);
        var services = builder.Services;
        services.AddSingleton<AnswerEpoch>();
        builder.AddCheckedOptions<HistoryOptions>(HistoryOptions.Section);
        services.AddSingleton<FlightRecorder>().AddSingleton<IClientObserver>(provider => provider.GetRequiredService<FlightRecorder>());
        services.AddSingleton<Authentication>();
        services.AddSingleton<Authorization>();
        services.AddSingleton<RecordFeed>().AddHostedService(provider => provider.GetRequiredService<RecordFeed>());
        AddBuiltIn(builder);
        services.AddSingleton<SourceInstruments>();
        services.AddSingleton<SourceHost>().AddHostedService(provider => provider.GetRequiredService<SourceHost>());
        services.AddSingleton<ISettingTarget>(provider => provider.GetRequiredService<SourceHost>());
    }

    private static void AddBuiltIn(IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<BuiltInOptions>(BuiltInOptions.Section);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<BuiltInOptions>, BuiltInOptionsValidator>();
        services.AddTable<ScramUsers>().AddSingleton<IScramStore>(provider => provider.GetRequiredService<ScramUsers>()).AddSingleton<ScramAccess>().AddScram();
        services.AddTable<BuiltInUsers>().AddTable<BuiltInRules>();
        services.AddSingleton<BuiltInAccess>();
        services.AddSingleton<IAuthenticator, BuiltInAuthenticator>();
        services.AddSingleton<IAuthorizer, BuiltInAuthorizer>();
        services.AddHostedService<PresetUsers>();
    }

    /// <summary>Adds a table of the cluster's records.</summary>
    public static IServiceCollection AddTable<T>(this IServiceCollection services)
        where T : RecordTable =>
        services.AddSingleton<T>().AddSingleton<RecordTable>(provider => provider.GetRequiredService<T>());
}
