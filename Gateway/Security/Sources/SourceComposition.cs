using System.Data.Common;
using Broker.Gateway.Hosting;
using Broker.Gateway.Security.Passwords;
using Broker.Gateway.Security.Rules;
using Broker.Gateway.Security.Sources.Sql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Sources;

/// <summary>Composes the sources whose answers come over the network: those whose server is configured.</summary>
internal static class SourceComposition
{
    public static void AddSources(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SourceInstruments>();
        builder.AddSql<MySqlSourceOptions>("mysql", MySqlSourceOptions.Section, SqlDatabases.MySql);
        builder.AddSql<PostgreSqlSourceOptions>("postgresql", PostgreSqlSourceOptions.Section, SqlDatabases.PostgreSql);
    }

    private static void AddSql<T>(this IHostApplicationBuilder builder, string name, string section, Func<T, DbDataSource> open)
        where T : SqlOptions
    {
        builder.AddCheckedOptions<T>(section);
        builder.Services.AddSingleton<IValidateOptions<T>>(new SqlOptionsValidator<T>(section));
        if (string.IsNullOrEmpty(builder.Configuration[$"{section}:{nameof(SqlOptions.Server)}"])) return;
        builder.AddStore<T>(
            provider =>
            {
                var options = provider.GetRequiredService<IOptions<T>>().Value;
                return new SqlUserStore(name, open(options), options);
            },
            options => options.PasswordHash);
    }

    /// <summary>Adds one database: one guard for users and rules, a cache for each.</summary>
    private static void AddStore<T>(this IHostApplicationBuilder builder, Func<IServiceProvider, IUserStore> open, Func<T, string> hashOf)
        where T : SourceOptions
    {
        var services = builder.Services;
        services.AddKeyedSingleton(typeof(T), (provider, _) => open(provider));
        services.AddKeyedSingleton(typeof(T), (provider, _) => new SourceGuard(
            Store(provider).Name, Options(provider), provider.GetRequiredService<SourceInstruments>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SourceGuard>>()));
        services.AddSingleton<IAuthenticator>(provider =>
        {
            var options = Options(provider);
            if (!PasswordHash.TryParse(hashOf(options), out var hash)) throw new FormatException(hashOf(options));
            var cache = new SourceCache<StoredUser?>(options.CacheSize, options.UserCacheTime, provider.GetRequiredService<TimeProvider>());
            return new StoreAuthenticator(Store(provider), hash, Guard(provider), cache, options.WhenDown == "ignore");
        });
        services.AddSingleton<IAuthorizer>(provider =>
        {
            var options = Options(provider);
            var cache = new SourceCache<RuleSet>(options.CacheSize, options.RuleCacheTime, provider.GetRequiredService<TimeProvider>());
            return new StoreAuthorizer(Store(provider), Guard(provider), cache, options.WhenDown == "ignore");
        });

        static T Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<T>>().Value;

        static IUserStore Store(IServiceProvider provider) => provider.GetRequiredKeyedService<IUserStore>(typeof(T));

        static SourceGuard Guard(IServiceProvider provider) => provider.GetRequiredKeyedService<SourceGuard>(typeof(T));
    }
}
