using Broker.Gateway.Hosting;
using Broker.Gateway.Security.Passwords;
using Broker.Gateway.Security.Rules;
using Broker.Gateway.Security.Sources.Http;
using Broker.Gateway.Security.Sources.Jwt;
using Broker.Gateway.Security.Sources.Ldap;
using Broker.Gateway.Security.Sources.MongoDb;
using Broker.Gateway.Security.Sources.Redis;
using Broker.Gateway.Security.Sources.Sql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Sources;

/// <summary>Composes the sources that the configuration names: servers, tokens, a file of rules. <see cref="SourceHost"/> has them, not the broker's host.</summary>
internal static class SourceComposition
{
    public static void AddSources(this IHostApplicationBuilder builder)
    {
        AddJwt(builder);
        builder.AddStore<MySqlSourceOptions>(
            MySqlSourceOptions.Section, SqlDatabases.MySqlPort, SqlUserStore.Faults, options => new SqlUserStore(SqlDatabases.MySql(options), options));
        builder.AddStore<PostgreSqlSourceOptions>(
            PostgreSqlSourceOptions.Section, SqlDatabases.PostgreSqlPort, SqlUserStore.Faults, options => new SqlUserStore(SqlDatabases.PostgreSql(options), options));
        builder.AddStore<RedisOptions>(RedisOptions.Section, RedisConnection.UsualPort, RedisUserStore.Faults, options => new RedisUserStore(options));
        builder.AddStore<MongoOptions>(MongoOptions.Section, MongoConnection.UsualPort, MongoUserStore.Faults, options => new MongoUserStore(options));
        AddLdap(builder);
        AddHttp(builder);
        AddAclFile(builder); // EMQ X asks it last too
    }

    /// <summary>Adds options that are checked, with a guard, if they are used.</summary>
    /// <param name="usedIf">Keys of which one at least has a value if the source is used.</param>
    /// <returns>Whether it is.</returns>
    public static bool AddGuarded<T>(
        this IHostApplicationBuilder builder, string name, string section, Func<T, IEnumerable<(string Key, string Fault)>> faults, int usualPort, params string[] usedIf)
        where T : SourceOptions
    {
        builder.AddCheckedOptions<T>(section);
        var isUsed = Array.Exists(usedIf, key => !string.IsNullOrEmpty(builder.Configuration[$"{section}:{key}"]));
        builder.Services.AddSingleton<IValidateOptions<T>>(new SourceOptionsValidator<T>(section, _ => isUsed, usualPort, faults));
        if (!isUsed) return false;
        builder.Services.AddKeyedSingleton(typeof(T), (provider, _) => new SourceGuard(
            name, provider.Options<T>(), provider.GetRequiredService<SourceInstruments>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SourceGuard>>()));
        builder.Services.AddSingleton(provider => provider.Guard<T>()); // all of them, for those who watch
        return true;
    }

    /// <summary>The guard of the source with these options.</summary>
    public static SourceGuard Guard<T>(this IServiceProvider provider) => provider.GetRequiredKeyedService<SourceGuard>(typeof(T));

    /// <summary>Options that have been validated.</summary>
    public static T Options<T>(this IServiceProvider provider)
        where T : class => provider.GetRequiredService<IOptions<T>>().Value;

    /// <summary>A cache of what this source says of users, or of rules.</summary>
    public static SourceCache<TAnswer> Cache<TAnswer>(this IServiceProvider provider, SourceOptions options, TimeSpan lifetime) =>
        new(options.CacheSize, lifetime, provider.GetRequiredService<TimeProvider>());

    private static void AddAclFile(IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<AclFileOptions>(AclFileOptions.Section);
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<AclFileOptions>, AclFileValidator>();
        if (string.IsNullOrEmpty(builder.Configuration[$"{AclFileOptions.Section}:{nameof(AclFileOptions.Path)}"])) return;
        services.AddSingleton<FileAuthorizer>().AddSingleton<IAuthorizer>(provider => provider.GetRequiredService<FileAuthorizer>());
        services.AddHostedService(provider => provider.GetRequiredService<FileAuthorizer>());
    }

    private static void AddLdap(IHostApplicationBuilder builder)
    {
        if (!builder.AddGuarded<LdapOptions>("ldap", LdapOptions.Section, LdapSource.Faults, LdapOptions.UsualPort, nameof(ServerOptions.Server))) return;
        builder.Services.AddSingleton(provider => new LdapSource(provider.Options<LdapOptions>(), provider.Guard<LdapOptions>(), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IAuthenticator>(provider => provider.GetRequiredService<LdapSource>());
        builder.Services.AddSingleton<IAuthorizer>(provider => provider.GetRequiredService<LdapSource>());
    }

    private static void AddHttp(IHostApplicationBuilder builder)
    {
        if (!builder.AddGuarded<HttpOptions>("http", HttpOptions.Section, HttpSource.Faults, 0, "Auth:Url", "Acl:Url")) return;
        builder.Services.AddSingleton(provider => new HttpSource(provider.Options<HttpOptions>(), provider.Guard<HttpOptions>(), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IAuthenticator>(provider => provider.GetRequiredService<HttpSource>());
        builder.Services.AddSingleton<IAuthorizer>(provider => provider.GetRequiredService<HttpSource>());
    }

    private static void AddJwt(IHostApplicationBuilder builder)
    {
        builder.AddCheckedOptions<JwtOptions>(JwtOptions.Section);
        string[] keys = [nameof(JwtOptions.Secret), nameof(JwtOptions.SecretFile), nameof(JwtOptions.PublicKeyFile), nameof(JwtOptions.JwksUrl)];
        var isUsed = Array.Exists(keys, key => !string.IsNullOrEmpty(builder.Configuration[$"{JwtOptions.Section}:{key}"]));
        var services = builder.Services;
        services.AddSingleton<IValidateOptions<JwtOptions>>(new SourceOptionsValidator<JwtOptions>(JwtOptions.Section, _ => isUsed, 0, JwtKeys.Faults));
        if (!isUsed) return;
        services.AddSingleton<IAuthenticator, JwtAuthenticator>().AddSingleton<IAuthorizer, JwtAuthorizer>();
        services.AddSingleton<PublishedKeys>().AddHostedService(provider => provider.GetRequiredService<PublishedKeys>());
    }

    /// <summary>Adds one database: one guard for users and rules, a cache for each.</summary>
    private static void AddStore<T>(this IHostApplicationBuilder builder, string section, int usualPort, Func<T, IEnumerable<(string Key, string Fault)>> faults, Func<T, IUserStore> open)
        where T : UserStoreOptions
    {
        var name = section[(section.IndexOf(':', StringComparison.Ordinal) + 1)..].ToLowerInvariant();
        if (!builder.AddGuarded(name, section, faults, usualPort, nameof(ServerOptions.Server))) return;
        var services = builder.Services;
        services.AddKeyedSingleton(typeof(T), (provider, _) => open(provider.Options<T>()));
        services.AddSingleton<IAuthenticator>(provider =>
        {
            var options = provider.Options<T>();
            return new StoreAuthenticator(
                name, Store(provider), PasswordHash.Parse(options.PasswordHash), provider.Guard<T>(), provider.Cache<StoredUser?>(options, options.UserCacheTime), options.IgnoresOutages);
        });
        services.AddSingleton<IAuthorizer>(provider =>
        {
            var options = provider.Options<T>();
            return new StoreAuthorizer(name, Store(provider), provider.Guard<T>(), provider.Cache<RuleSet>(options, options.RuleCacheTime), options.IgnoresOutages);
        });

        static IUserStore Store(IServiceProvider provider) => provider.GetRequiredKeyedService<IUserStore>(typeof(T));
    }
}
